//! A virtual clock and an executor of one thread. What is due at the same instant happens in an order
//! the dice decide.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// Milliseconds since the world began.
pub type Millis = i64;

type Task = Pin<Box<dyn Future<Output = ()>>>;

enum Due {
    Wake(u64),
    Run(Box<dyn FnOnce()>),
}

#[derive(Default)]
pub struct Sim {
    now: Cell<Millis>,
    made: Cell<u64>,
    current: Cell<u64>,
    stopped: Cell<bool>,
    due: RefCell<BTreeMap<(Millis, u64, u64), Due>>,
    tasks: RefCell<BTreeMap<u64, Task>>,
}

impl Sim {
    pub fn now(&self) -> Millis {
        self.now.get()
    }

    fn fresh(&self) -> u64 {
        self.made.set(self.made.get() + 1);
        self.made.get()
    }

    fn push(&self, at: Millis, order: u64, due: Due) {
        let key = (at.max(self.now()), order, self.fresh());
        self.due.borrow_mut().insert(key, due);
    }

    /// Does something then; `order` decides among what is due at the same instant.
    pub fn at(&self, at: Millis, order: u64, run: impl FnOnce() + 'static) {
        self.push(at, order, Due::Run(Box::new(run)));
    }

    pub fn spawn(&self, order: u64, future: impl Future<Output = ()> + 'static) -> u64 {
        let task = self.fresh();
        self.tasks.borrow_mut().insert(task, Box::pin(future));
        self.push(self.now(), order, Due::Wake(task));
        task
    }

    /// A task that dies in the middle of whatever it was doing.
    pub fn kill(&self, task: u64) -> bool {
        let killed = self.tasks.borrow_mut().remove(&task);
        killed.is_some()
    }

    pub fn stop(&self) {
        self.stopped.set(true);
    }

    /// Until nothing is due any more, or someone calls a halt.
    pub fn run(&self) {
        while !self.stopped.get() {
            let Some(((at, _, _), due)) = self.due.borrow_mut().pop_first() else { return };
            match due {
                Due::Run(run) => {
                    self.now.set(at);
                    run();
                }
                Due::Wake(id) => {
                    let Some(mut task) = self.tasks.borrow_mut().remove(&id) else { continue };
                    self.now.set(at);
                    self.current.set(id);
                    let mut context = Context::from_waker(Waker::noop());
                    if task.as_mut().poll(&mut context).is_pending() {
                        self.tasks.borrow_mut().insert(id, task);
                    }
                }
            }
        }
    }

    /// Forgets all tasks and messages, which hold the world as the world holds them.
    pub fn clear(&self) {
        let due = std::mem::take(&mut *self.due.borrow_mut());
        let tasks = std::mem::take(&mut *self.tasks.borrow_mut());
        drop((due, tasks));
    }

    pub async fn sleep(&self, wait: Millis) {
        let until = self.now() + wait;
        let mut asked = false;
        poll_fn(|_| {
            if self.now() >= until {
                return Poll::Ready(());
            }
            if !std::mem::replace(&mut asked, true) {
                self.push(until, 0, Due::Wake(self.current.get()));
            }
            Poll::Pending
        })
        .await;
    }

    /// What comes into the slot, or `None` when nothing has come by then.
    pub async fn wait<T>(&self, slot: &Slot<T>, until: Millis) -> Option<T> {
        let mut asked = false;
        poll_fn(|_| {
            let mut inside = slot.0.borrow_mut();
            if let Some(value) = inside.value.take() {
                return Poll::Ready(Some(value));
            }
            if self.now() >= until {
                return Poll::Ready(None);
            }
            inside.waits = Some(self.current.get());
            if until < Millis::MAX && !std::mem::replace(&mut asked, true) {
                self.push(until, u64::MAX, Due::Wake(self.current.get()));
            }
            Poll::Pending
        })
        .await
    }

    pub fn fill<T>(&self, slot: &Slot<T>, value: T) {
        let mut inside = slot.0.borrow_mut();
        inside.value = Some(value);
        if let Some(task) = inside.waits {
            self.push(self.now(), 0, Due::Wake(task));
        }
    }
}

/// Where an answer is left for whoever waits for it.
pub struct Slot<T>(Rc<RefCell<Inside<T>>>);

struct Inside<T> {
    value: Option<T>,
    waits: Option<u64>,
}

impl<T> Slot<T> {
    pub fn new() -> Self {
        Self(Rc::new(RefCell::new(Inside { value: None, waits: None })))
    }
}

impl<T> Clone for Slot<T> {
    fn clone(&self) -> Self {
        Self(Rc::clone(&self.0))
    }
}
