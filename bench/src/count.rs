//! Wasm that counts its own instructions.
//!
//! Every operator that is executed is one instruction, but for those that are only punctuation (`nop`,
//! `drop`, `block`, `loop`, `else`, `end`, `return`, `unreachable`), which are nothing. That is what
//! wasmtime's fuel counts, and so what Shopify calls an instruction of a Function. Newer versions of wasmtime
//! add one for each function entered and for each byte that `memory.copy` or `memory.fill` moves; these are
//! counted apart, so that both numbers can be told. (Compared with wasmtime 48 on the cases of
//! [`crate::cases`]: equal to the unit.)
//!
//! wasmi's own fuel will not do: it charges a function's or a loop's whole body on entry, the ways not taken
//! too. So each function gets a global, and wherever control may leave a straight run of operators (and at
//! each label, where it may come in) the run's length is added to it. The sum of all globals is the count, and
//! the globals by themselves tell which function it went to.

use std::{collections::HashMap, convert::Infallible};

use anyhow::{Context, Result, anyhow};
use wasm_encoder::{
    CodeSection, ConstExpr, ExportKind, ExportSection, Function, FunctionSection, GlobalSection,
    GlobalType, Instruction, Module, ValType,
    reencode::{Error, Reencode, utils},
};
use wasmparser::{KnownCustom, Name, Operator, Parser, Payload};

/// A module with a counter in each function.
pub struct Counted {
    /// The module.
    pub wasm: Vec<u8>,
    /// The functions' names, in the order of their counters.
    pub functions: Vec<String>,
}

/// The export that has the count of a function.
pub fn counter_name(function: usize) -> String {
    format!("count.{function}")
}

/// The export that has the count of the functions entered.
pub const ENTERED: &str = "count.entered";
/// The export that has the count of the bytes moved by single instructions.
pub const MOVED: &str = "count.moved";

/// Gives each function of a module a counter.
///
/// # Errors
/// When it is no module, or one that imports anything.
pub fn counted(wasm: &[u8]) -> Result<Counted> {
    let mut counter = Counter::default();
    let mut module = Module::new();
    counter
        .parse_core_module(&mut module, Parser::new(0), wasm)
        .map_err(|error| anyhow!("cannot add counters to the module: {error}"))?;
    let names = names(wasm).context("cannot read the functions' names")?;
    let functions =
        (0..counter.functions).map(|index| names.get(&index).cloned().unwrap_or_default());
    Ok(Counted { wasm: module.finish(), functions: functions.collect() })
}

fn names(wasm: &[u8]) -> Result<HashMap<u32, String>> {
    let mut names = HashMap::new();
    for payload in Parser::new(0).parse_all(wasm) {
        let Payload::CustomSection(section) = payload? else {
            continue;
        };
        let KnownCustom::Name(subsections) = section.as_known() else {
            continue;
        };
        for subsection in subsections {
            if let Name::Function(functions) = subsection? {
                for function in functions {
                    let function = function?;
                    let name = rustc_demangle::demangle(function.name);
                    names.insert(function.index, format!("{name:#}"));
                }
            }
        }
    }
    Ok(names)
}

#[derive(Default)]
struct Counter {
    /// How many functions there are.
    functions: u32,
    /// The first function's global; the others' follow.
    first: u32,
    /// How many functions' bodies have been gone through.
    done: u32,
}

impl Counter {
    /// Adds a run of operators to the count of the function we are in.
    fn add_run(&self, body: &mut Function, run: &mut i64) {
        if *run != 0 {
            add(body, self.first.saturating_add(self.done), &[Instruction::I64Const(*run)]);
            *run = 0;
        }
    }

    /// The first of our globals after the functions'.
    fn others(&self) -> u32 {
        self.first.saturating_add(self.functions)
    }

    fn entered(&self) -> u32 {
        self.others()
    }

    fn moved(&self) -> u32 {
        self.others().saturating_add(1)
    }

    /// Holds an operand for a moment.
    fn scratch(&self) -> u32 {
        self.others().saturating_add(2)
    }

    /// Adds the operand on top of the stack, a number of bytes, and leaves it there.
    fn add_moved(&self, body: &mut Function) {
        let scratch = self.scratch();
        body.instruction(&Instruction::GlobalSet(scratch))
            .instruction(&Instruction::GlobalGet(scratch));
        let bytes = [Instruction::GlobalGet(scratch), Instruction::I64ExtendI32U];
        add(body, self.moved(), &bytes);
    }
}

fn add(body: &mut Function, global: u32, what: &[Instruction<'_>]) {
    body.instruction(&Instruction::GlobalGet(global));
    for instruction in what {
        body.instruction(instruction);
    }
    body.instruction(&Instruction::I64Add).instruction(&Instruction::GlobalSet(global));
}

fn zero(val_type: ValType) -> (GlobalType, ConstExpr) {
    let zero = match val_type {
        ValType::I64 => ConstExpr::i64_const(0),
        _ => ConstExpr::i32_const(0),
    };
    (GlobalType { val_type, mutable: true, shared: false }, zero)
}

impl Reencode for Counter {
    type Error = Infallible;

    fn parse_function_section(
        &mut self,
        functions: &mut FunctionSection,
        section: wasmparser::FunctionSectionReader<'_>,
    ) -> Result<(), Error<Self::Error>> {
        self.functions = section.count();
        utils::parse_function_section(self, functions, section)
    }

    fn parse_global_section(
        &mut self,
        globals: &mut GlobalSection,
        section: wasmparser::GlobalSectionReader<'_>,
    ) -> Result<(), Error<Self::Error>> {
        self.first = section.count();
        utils::parse_global_section(self, globals, section)?;
        let (counter, none) = zero(ValType::I64);
        for _ in self.first..=self.moved() {
            globals.global(counter, &none);
        }
        let (scratch, none) = zero(ValType::I32);
        globals.global(scratch, &none);
        Ok(())
    }

    fn parse_export_section(
        &mut self,
        exports: &mut ExportSection,
        section: wasmparser::ExportSectionReader<'_>,
    ) -> Result<(), Error<Self::Error>> {
        utils::parse_export_section(self, exports, section)?;
        for (function, global) in (self.first..).take(self.functions as usize).enumerate() {
            exports.export(&counter_name(function), ExportKind::Global, global);
        }
        exports.export(ENTERED, ExportKind::Global, self.entered());
        exports.export(MOVED, ExportKind::Global, self.moved());
        Ok(())
    }

    fn parse_function_body(
        &mut self,
        code: &mut CodeSection,
        function: wasmparser::FunctionBody<'_>,
    ) -> Result<(), Error<Self::Error>> {
        let mut body = self.new_function_with_parsed_locals(&function)?;
        let mut operators = function.get_operators_reader()?;
        add(&mut body, self.entered(), &[Instruction::I64Const(1)]);
        let mut run = 0_i64;
        while !operators.eof() {
            let operator = operators.read()?;
            run = run.saturating_add(cost(&operator));
            if ends_a_run(&operator) {
                self.add_run(&mut body, &mut run);
            }
            if matches!(operator, Operator::MemoryCopy { .. } | Operator::MemoryFill { .. }) {
                self.add_moved(&mut body);
            }
            body.instruction(&self.instruction(operator)?);
        }
        code.function(&body);
        self.done = self.done.saturating_add(1);
        Ok(())
    }
}

fn cost(operator: &Operator<'_>) -> i64 {
    match operator {
        Operator::Nop
        | Operator::Drop
        | Operator::Block { .. }
        | Operator::Loop { .. }
        | Operator::Else
        | Operator::End
        | Operator::Return
        | Operator::Unreachable => 0,
        _ => 1,
    }
}

/// Whether control may leave here or, at a label, come in. A call is no such place: it comes back.
fn ends_a_run(operator: &Operator<'_>) -> bool {
    matches!(
        operator,
        Operator::Br { .. }
            | Operator::BrIf { .. }
            | Operator::BrTable { .. }
            | Operator::If { .. }
            | Operator::Else
            | Operator::Loop { .. }
            | Operator::End
            | Operator::Return
            | Operator::Unreachable
    )
}
