//! Questions to objects, with the type of their reply.
//!
//! A question's type names the class it goes to and the type of its reply, so that a caller cannot receive
//! the answer to another question, and neither class nor reply is written at the call.

use promo_core::time::Instant;
use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use worker::js_sys::{Object, Promise, Reflect};
use worker::wasm_bindgen_futures::JsFuture;
use worker::{Env, Error};

use super::object::{Letter, VERSION};

/// A question to an object.
pub trait Ask: Serialize {
    /// The binding of the class it goes to.
    const BINDING: &'static str;
    /// What is answered.
    type Reply: Serialize + DeserializeOwned;
    /// The variant of the class's question that it travels as.
    const VARIANT: &'static str;
}

/// Declares the questions of a class: their types, the type they travel as, and their replies.
///
/// ```ignore
/// questions! {
///     /// What is asked of a pool.
///     pub enum Question to "POOL" {
///         /// The pool as a whole.
///         Show() -> Pool,
///         /// A number.
///         Find(CodeKey) -> Option<Instrument>,
///     }
/// }
/// ```
macro_rules! questions {
    ($(#[$of:meta])* pub enum $question:ident to $binding:literal {
        $($(#[$doc:meta])* $name:ident($($part:ty),*) -> $reply:ty,)*
    }) => {
        $(#[$of])*
        #[derive(serde::Deserialize)]
        pub enum $question {
            $($(#[$doc])* $name($name),)*
        }
        $(
            $(#[$doc])*
            #[derive(serde::Serialize, serde::Deserialize)]
            pub struct $name($(pub $part),*);

            impl crate::objects::ask::Ask for $name {
                const BINDING: &'static str = $binding;
                const VARIANT: &'static str = stringify!($name);
                type Reply = $reply;
            }
        )*
    };
}
pub(crate) use questions;

/// Why a question has no answer.
#[derive(Debug)]
pub enum NoAnswer {
    /// The object got to it after its sender had given up, and wrote nothing.
    Late,
    /// The object has more to do than it can. It must not be asked again at once.
    Overloaded,
    /// The deployment lacks the binding, or the question could not be written.
    Misconfigured(String),
    /// The reply cannot be read: an object of another version.
    WrongReply(String),
    /// The object, or the way to it, failed. What was asked may have happened.
    Unreachable(String),
}

impl std::fmt::Display for NoAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Late => f.write_str("the object was late"),
            Self::Overloaded => f.write_str("the object is overloaded"),
            Self::Misconfigured(why) | Self::WrongReply(why) | Self::Unreachable(why) => {
                f.write_str(why)
            }
        }
    }
}

#[wasm_bindgen]
extern "C" {
    type Namespace;
    #[wasm_bindgen(method, catch, js_name = getByName)]
    fn get_by_name(this: &Namespace, name: &str, options: &JsValue) -> Result<Stub, JsValue>;

    type Stub;
    #[wasm_bindgen(method, catch)]
    fn ask(this: &Stub, question: &str) -> Result<Promise, JsValue>;
}

/// Asks an object, and says how many rows were written for it.
///
/// `region` is where a new object is made (a location hint); empty: where the caller is. The stub is made
/// anew for each question, because some failures break one for good.
///
/// # Errors
/// [`NoAnswer`] says what failed.
pub async fn ask<Q: Ask>(
    env: &Env,
    name: &str,
    region: &str,
    question: &Q,
    until: Option<Instant>,
) -> Result<(Q::Reply, u64), NoAnswer> {
    let text = envelope(question, until).map_err(|e| NoAnswer::Misconfigured(e.to_string()))?;
    let stub = stub(env, Q::BINDING, name, region).map_err(|error| {
        NoAnswer::Misconfigured(format!("{}: {}", Q::BINDING, Error::from(error)))
    })?;
    let reply = JsFuture::from(stub.ask(&text).map_err(failed)?).await.map_err(failed)?;
    let reply = reply.as_string().ok_or_else(|| NoAnswer::WrongReply("no text".to_owned()))?;
    let letter: Letter<Q::Reply> =
        serde_json::from_str(&reply).map_err(|error| NoAnswer::WrongReply(error.to_string()))?;
    match letter {
        Letter { v: VERSION, a: Some(answer), rows, .. } => Ok((answer, rows)),
        Letter { v: VERSION, late: true, .. } => Err(NoAnswer::Late),
        Letter { v, .. } => Err(NoAnswer::WrongReply(format!("a reply of version {v}"))),
    }
}

fn envelope<Q: Ask>(question: &Q, until: Option<Instant>) -> serde_json::Result<String> {
    #[derive(Serialize)]
    struct Out<'a, Q: Ask> {
        v: u32,
        #[serde(skip_serializing_if = "Option::is_none")]
        until: Option<i64>,
        q: Tagged<'a, Q>,
    }
    /// The question as the variant of its class's enum.
    struct Tagged<'a, Q: Ask>(&'a Q);
    impl<Q: Ask> Serialize for Tagged<'_, Q> {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_newtype_variant("Question", 0, Q::VARIANT, self.0)
        }
    }
    let until = until.map(Instant::millis);
    serde_json::to_string(&Out { v: VERSION, until, q: Tagged(question) })
}

fn stub(env: &Env, binding: &str, name: &str, region: &str) -> Result<Stub, JsValue> {
    let namespace: Namespace = Reflect::get(env, &binding.into())?.unchecked_into();
    let options = match region {
        "" => JsValue::UNDEFINED,
        region => {
            let options = Object::new();
            Reflect::set(&options, &"locationHint".into(), &region.into())?;
            options.into()
        }
    };
    namespace.get_by_name(name, &options)
}

/// What a failed call says. The runtime marks an object that has too much to do with `overloaded`.
fn failed(error: JsValue) -> NoAnswer {
    let overloaded = Reflect::get(&error, &"overloaded".into()).is_ok_and(|is| is.is_truthy());
    match overloaded {
        true => NoAnswer::Overloaded,
        false => NoAnswer::Unreachable(Error::from(error).to_string()),
    }
}
