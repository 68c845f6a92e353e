//! Where in the world a request comes from.

use wasm_bindgen::JsValue;
use worker::Request;
use worker::js_sys::Reflect;

/// The place nearest to a caller, as Durable Objects are told where to be; empty: unknown, as locally.
/// <https://developers.cloudflare.com/durable-objects/reference/data-location/>
pub fn of(request: &Request) -> &'static str {
    let property = |of: &JsValue, name: &str| Reflect::get(of, &name.into()).ok();
    let Some(cf) = property(request.inner(), "cf").filter(JsValue::is_object) else { return "" };
    let text = |name| property(&cf, name).and_then(|value| value.as_string()).unwrap_or_default();
    // Whole degrees will do.
    let longitude = text("longitude");
    let degrees = longitude.split('.').next().and_then(|degrees| degrees.parse::<i32>().ok());
    nearest(&text("continent"), degrees)
}

fn nearest(continent: &str, longitude: Option<i32>) -> &'static str {
    let east_of = |line: i32| longitude.is_some_and(|longitude| longitude >= line);
    match continent {
        "NA" if east_of(-100) => "enam",
        "NA" => "wnam",
        "SA" => "sam",
        "EU" if east_of(18) => "eeur",
        "EU" => "weur",
        // The Gulf and the Levant; the rest is nearer to Singapore.
        "AS" if longitude.is_some() && !east_of(63) => "me",
        "AS" => "apac",
        "OC" => "oc",
        "AF" => "afr",
        _ => "",
    }
}
