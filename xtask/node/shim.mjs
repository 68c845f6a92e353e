// Between the runtime and the Wasm instance; bundle.mjs adds a line for each Durable Object class.
//
// After worker-build 0.8.7's shim.js. What it is for: a panic in Rust traps, and a trapped instance must not
// run again, since its memory may be half-written. So the next call into it starts a new instance of the
// same module; objects made in the old one are constructed anew (their SQLite is the truth, their memory a
// cache). Requests that were in flight in the old instance fail.

import { DurableObject, WorkerEntrypoint } from "cloudflare:workers";
import * as wasm from "./index.js";

Error.stackTraceLimit = 100;
const state = wasm.__worker_init_state();

function startAnewIfTrapped() {
  if (state.criticalError) {
    console.error('{"level":"error","message":"the Wasm instance had trapped; starting a new one"}');
    wasm.__wbg_reset_state();
    state.criticalError = false;
    state.instanceId++;
  }
}

function noteTrap(error) {
  if (error instanceof WebAssembly.RuntimeError) {
    console.error("trap in the Wasm instance", error);
    state.criticalError = true;
  }
}

addEventListener("error", (event) => noteTrap(event.error));

class Entrypoint extends WorkerEntrypoint {}

for (const event of ["fetch", "queue", "scheduled"]) {
  const handler = wasm[event];
  if (handler) {
    Entrypoint.prototype[event] = function (subject) {
      return handler.call(this, subject, this.env, this.ctx);
    };
  }
}

// Calls a method and notes a trap, whether it throws at once or rejects later.
const calls = {
  apply(method, self, args) {
    startAnewIfTrapped();
    try {
      const result = method.apply(self, args);
      if (typeof result?.then === "function") {
        return result.then(undefined, (error) => {
          noteTrap(error);
          throw error;
        });
      }
      return result;
    } catch (error) {
      noteTrap(error);
      throw error;
    }
  },
};

// Stands for an object of the current instance, whichever that is.
const current = {
  get(target, property, receiver) {
    if (target.instanceId !== state.instanceId) {
      target.object = Reflect.construct(target.constructor, target.args, target.newTarget);
      target.instanceId = state.instanceId;
    }
    const value = Reflect.get(target.object, property, receiver);
    return typeof value === "function" ? new Proxy(value, calls) : value;
  },
  set: (target, ...rest) => Reflect.set(target.object, ...rest),
  has: (target, property) => Reflect.has(target.object, property),
  deleteProperty: (target, property) => Reflect.deleteProperty(target.object, property),
  getPrototypeOf: (target) => Reflect.getPrototypeOf(target.object),
  ownKeys: (target) => Reflect.ownKeys(target.object),
  getOwnPropertyDescriptor: (target, property) =>
    Reflect.getOwnPropertyDescriptor(target.object, property),
};

const surviving = (constructor) =>
  new Proxy(constructor, {
    construct(constructor, args, newTarget) {
      try {
        startAnewIfTrapped();
        const object = Reflect.construct(constructor, args, newTarget);
        const { instanceId } = state;
        return new Proxy({ object, instanceId, constructor, args, newTarget }, current);
      } catch (error) {
        state.criticalError = true;
        throw error;
      }
    },
  });

export default surviving(Entrypoint);

const SurvivingObject = wasm.Object && surviving(wasm.Object);

// The class of Durable Objects with this name; src/objects/object.rs has the other half. A question is
// one text by RPC, and one turn: a transaction that an error rolls back whole.
const objectClass = (name) =>
  class extends DurableObject {
    constructor(ctx, env) {
      super(ctx, env);
      this.object = new SurvivingObject(name, ctx, env);
    }

    async ask(question) {
      const { storage } = this.ctx;
      const turn = () => storage.transactionSync(() => this.object.ask(question));
      let answer = turn();
      if (answer === undefined) {
        await this.alarm();
        answer = turn();
      }
      this.arm(this.object.alarm_at());
      return answer;
    }

    async alarm() {
      this.arm(await this.object.wake());
    }

    // Not awaited: no reply leaves before it is durable, together with what the turn wrote.
    arm(at) {
      if (!Number.isNaN(at)) {
        this.ctx.storage.setAlarm(at);
      }
    }
  };
