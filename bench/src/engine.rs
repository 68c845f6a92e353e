//! The rules in an engine with a meter: wasmi, and the counters of [`crate::count`].

use std::path::Path;

use anyhow::{Context, Result, bail};
use wasmi::{Config, Engine, Global, Instance, Memory, Module, Store};

use crate::count::{ENTERED, MOVED, counted, counter_name};

/// More than any run may take of wasmi's own fuel (about four minutes); what does not end, ends with it.
const MOST_FUEL: u64 = 100_000_000_000;

/// The rules, compiled.
pub struct Rules {
    engine: Engine,
    module: Module,
    functions: Vec<String>,
}

/// A fresh instance of the rules, with nothing read yet.
pub struct Run {
    store: Store<()>,
    instance: Instance,
    memory: Memory,
    functions: usize,
    /// Each function's, then those of [`ENTERED`] and [`MOVED`].
    counters: Vec<Global>,
}

/// How a step of a run ended.
pub struct Step {
    /// How many instructions it took.
    pub instructions: u64,
    /// The same as wasmtime's fuel: also a unit for each function entered, and for each byte moved.
    pub fuel: u64,
    /// Whether it found no fault.
    pub fine: bool,
    /// What it wrote.
    pub output: Vec<u8>,
}

impl Rules {
    /// Builds the rules if need be, as the Worker is built, and loads them.
    ///
    /// # Errors
    /// When they cannot be built or loaded.
    pub fn build() -> Result<Self> {
        Self::load(&xtask::bench::engine()?)
    }

    /// Loads the rules from a file.
    ///
    /// # Errors
    /// When it is not the module of `bench/engine-wasm`.
    pub fn load(file: &Path) -> Result<Self> {
        let wasm =
            std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        let counted = counted(&wasm)?;
        let mut config = Config::default();
        config.consume_fuel(true);
        let engine = Engine::new(&config);
        let module = Module::new(&engine, &counted.wasm)?;
        Ok(Self { engine, module, functions: counted.functions })
    }

    /// The functions' names.
    pub fn functions(&self) -> &[String] {
        &self.functions
    }

    /// A fresh instance.
    ///
    /// # Errors
    /// When the module is not the one of `bench/engine-wasm`.
    pub fn start(&self) -> Result<Run> {
        let mut store = Store::new(&self.engine, ());
        store.set_fuel(MOST_FUEL)?;
        let instance = Instance::new(&mut store, &self.module, &[])?;
        let memory = instance.get_memory(&store, "memory").context("the module has no memory")?;
        let counters: Option<Vec<Global>> = (0..self.functions.len())
            .map(counter_name)
            .chain([ENTERED, MOVED].map(str::to_owned))
            .map(|name| instance.get_global(&store, &name))
            .collect();
        let counters = counters.context("the module has no counters")?;
        let functions = self.functions.len();
        Ok(Run { store, instance, memory, functions, counters })
    }
}

impl Run {
    /// Has the rules take a step, and counts it; handing over the input and the output is not counted.
    ///
    /// # Errors
    /// When there is no such step, or it panics or runs out of fuel.
    pub fn step(&mut self, name: &str, input: &[u8]) -> Result<Step> {
        self.store.set_fuel(MOST_FUEL)?;
        let room = self.instance.get_typed_func::<u32, u32>(&self.store, "room")?;
        let address = room.call(&mut self.store, u32::try_from(input.len())?)?;
        self.memory.write(&mut self.store, usize::try_from(address)?, input)?;

        let step = self.instance.get_typed_func::<(), u32>(&self.store, name)?;
        let before = self.count();
        let fuel_before = self.fuel();
        let fine = step.call(&mut self.store, ()).with_context(|| format!("in {name}"))? == 1;
        let instructions = self.count().saturating_sub(before);
        let fuel = self.fuel().saturating_sub(fuel_before);

        let written = self.instance.get_typed_func::<(), u64>(&self.store, "written")?;
        let written = written.call(&mut self.store, ())?;
        let mut output = vec![0; usize::try_from(written & 0xFFFF_FFFF)?];
        self.memory.read(&self.store, usize::try_from(written >> 32)?, &mut output)?;
        Ok(Step { instructions, fuel, fine, output })
    }

    /// The same, when the step must find no fault.
    ///
    /// # Errors
    /// Those of [`Run::step`], and the faults it found.
    pub fn fine_step(&mut self, name: &str, input: &[u8]) -> Result<Step> {
        let step = self.step(name, input)?;
        if !step.fine {
            bail!("{name}: {}", String::from_utf8_lossy(&step.output));
        }
        Ok(step)
    }

    /// How many instructions each function took so far, in the order of [`Rules::functions`].
    pub fn counts(&self) -> Vec<u64> {
        self.values().take(self.functions).collect()
    }

    /// How much memory the instance has taken, in pages of 64 KiB; it never gives any back.
    pub fn pages(&self) -> u64 {
        self.memory.size(&self.store)
    }

    fn count(&self) -> u64 {
        self.values().take(self.functions).fold(0, u64::saturating_add)
    }

    fn fuel(&self) -> u64 {
        self.values().fold(0, u64::saturating_add)
    }

    fn values(&self) -> impl Iterator<Item = u64> {
        self.counters
            .iter()
            .map(|counter| counter.get(&self.store).i64().map_or(0, i64::cast_unsigned))
    }
}
