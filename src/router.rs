//! Which request goes where: one table of every route, with its method, the pattern of its path,
//! who may call it, the parameters its query may have, and what answers it.
//!
//! What follows from the table is done here, once for all routes: 404 and 405 with `Allow`, the
//! secret, unknown parameters, and what the log shows of a path. The tests hold `openapi.json` against it.

use std::future::Future;
use std::pin::Pin;

use worker::{Context, Env, Method, Request, Response};

use crate::http::{Call, Problem, Reply, clock};
use crate::ports::{Edge, clean_up_all};
use crate::routes::{admin, documents, gotab, loyalty, neutral, wallet};
use crate::settings::{Caller, authorize};

/// Who may call a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// Anyone.
    Anyone,
    /// Whoever has this secret, bare in `Authorization`.
    Bare(&'static str),
    /// Whoever has this secret, as a bearer token.
    Bearer(&'static str),
}

use Who::Anyone;

/// An operator.
const OPERATOR: Who = Who::Bearer("ADMIN_TOKEN");
/// A till that speaks the neutral API.
const TILL: Who = Who::Bare("API_AUTH");

/// A reply that is not there yet.
type Answer<'a> = Pin<Box<dyn Future<Output = Result<Reply, Problem>> + 'a>>;

/// A route.
pub struct Route {
    method: Method,
    /// Segments, of which those with a colon before them stand for any text.
    pattern: &'static str,
    who: Who,
    /// The query's parameters. Operators' routes take no others; others' are ignored.
    query: &'static [&'static str],
    handler: for<'a> fn(&'a At<'a>) -> Answer<'a>,
}

/// A request that has come to its route.
pub struct At<'a> {
    call: &'a Call,
    env: &'a Env,
    route: &'static Route,
    caller: Caller,
}

impl<'a> At<'a> {
    /// What stands in the path in the place of `:name`.
    fn param(&self, name: &str) -> &'a str {
        let names = segments_of(self.route.pattern).zip(&self.call.segments);
        let mut found = names.filter(|(part, _)| part.strip_prefix(':') == Some(name));
        found.next().map_or("", |(_, segment)| segment)
    }

    /// The world as an operator's request reaches it, who would rather wait than ask again.
    fn edge(&self) -> worker::Result<Edge<'a>> {
        Edge::patient(self.env, self.call)
    }
}

macro_rules! routes {
    ($(
        $method:ident $pattern:literal $who:expr, [$($query:literal)*] => |$at:ident| $answer:expr;
    )*) => {
        &[$(Route {
            method: Method::$method,
            pattern: $pattern,
            who: $who,
            query: &[$($query),*],
            handler: |$at| Box::pin(async move { $answer }),
        }),*]
    };
}

/// Every route there is.
pub static ROUTES: &[Route] = routes! {
    Get "/healthz" Anyone, [] => |_at| Ok(documents::health());
    Get "/openapi.json" Anyone, [] => |_at| Ok(documents::openapi());
    Get "/schema/campaign.json" Anyone, [] => |_at| Ok(documents::campaign_schema());
    Get "/schema/programme.json" Anyone, [] => |_at| Ok(documents::programme_schema());

    Post "/gotab/promo" Who::Bare("GOTAB_PROMO_AUTH"), [] => |at|
        gotab::promo(at.call, at.env).await;
    Post "/gotab/loyalty" Who::Bare("GOTAB_LOYALTY_AUTH"), [] => |at|
        loyalty::answer(at.call, at.env).await;
    Post "/v1/inquire" TILL, [] => |at|
        neutral::answer("inquire", at.call, at.env, &at.caller).await;
    Post "/v1/redeem" TILL, [] => |at|
        neutral::answer("redeem", at.call, at.env, &at.caller).await;
    Post "/v1/reverse" TILL, [] => |at|
        neutral::answer("reverse", at.call, at.env, &at.caller).await;
    Post "/wallet/notify" Who::Bare("WALLET_AUTH"), [] => |at|
        wallet::notify(at.call, at.env).await;

    Get "/admin/campaigns" OPERATOR, ["cursor"] => |at|
        admin::documents::list_campaigns(&at.edge()?, at.call).await;
    Get "/admin/campaigns/:id" OPERATOR, ["revision"] => |at|
        admin::documents::show_campaign(&at.edge()?, at.call, at.param("id")).await;
    Put "/admin/campaigns/:id" OPERATOR, [] => |at|
        admin::documents::put_campaign(&at.edge()?, at.call, at.env, at.param("id")).await;
    Delete "/admin/campaigns/:id" OPERATOR, [] => |at|
        admin::documents::delete_campaign(&at.edge()?, at.call, at.param("id")).await;
    Post "/admin/campaigns/:id/codes" OPERATOR, ["dry_run"] => |at|
        admin::codes::upload(&at.edge()?, at.call, at.param("id")).await;
    Get "/admin/campaigns/:id/history" OPERATOR, ["cursor"] => |at|
        admin::documents::history(&at.edge()?, at.call, at.param("id")).await;
    Get "/admin/campaigns/:id/ledger" OPERATOR, [] => |at|
        admin::ledger::quotas(&at.edge()?, at.call, at.env, at.param("id")).await;
    Get "/admin/campaigns/:id/redemptions" OPERATOR, ["cursor" "limit"] => |at|
        admin::ledger::redemptions(&at.edge()?, at.call, at.param("id")).await;
    Get "/admin/codes/:code" OPERATOR, [] => |at|
        admin::codes::show(&at.edge()?, at.env, at.param("code")).await;
    Get "/admin/conflicts" OPERATOR, ["cursor"] => |at|
        admin::conflicts::list(&at.edge()?, at.call).await;
    Post "/admin/conflicts/:id/accept" OPERATOR, [] => |at|
        admin::conflicts::decide(&at.edge()?, at.call, at.param("id"), true).await;
    Post "/admin/conflicts/:id/dismiss" OPERATOR, [] => |at|
        admin::conflicts::decide(&at.edge()?, at.call, at.param("id"), false).await;
    Delete "/admin/customers/:identifier" OPERATOR, [] => |at|
        admin::customers::erase(&at.edge()?, at.call, at.param("identifier")).await;
    Get "/admin/erasures/:id" OPERATOR, [] => |at|
        admin::customers::show(&at.edge()?, at.param("id")).await;
    Get "/admin/instruments" OPERATOR, ["cursor"] => |at|
        admin::instruments::list(&at.edge()?, at.call).await;
    Get "/admin/instruments/:type" OPERATOR, [] => |at|
        admin::instruments::show(&at.edge()?, at.call, at.env, at.param("type")).await;
    Put "/admin/instruments/:type" OPERATOR, [] => |at|
        admin::instruments::put(&at.edge()?, at.call, at.env, at.param("type")).await;
    Post "/admin/instruments/:type/numbers" OPERATOR, ["upload" "line" "lines"] => |at|
        admin::instruments::add(&at.edge()?, at.call, at.env, at.param("type")).await;
    Post "/admin/instruments/:type/numbers/withdraw" OPERATOR, [] => |at|
        admin::instruments::withdraw::list(&at.edge()?, at.call, at.param("type")).await;
    Delete "/admin/instruments/:type/numbers/:number" OPERATOR, [] => |at|
        admin::instruments::withdraw::one(
            &at.edge()?, at.call, at.param("type"), at.param("number"),
        ).await;
    Get "/admin/instruments/:type/numbers/:number" OPERATOR, [] => |at|
        admin::instruments::show_number(
            &at.edge()?, at.call, at.env, at.param("type"), at.param("number"),
        ).await;
    Post "/admin/instruments/:type/numbers/:number/block" OPERATOR, [] => |at|
        admin::instruments::block(
            &at.edge()?, at.call, at.param("type"), at.param("number"), true,
        ).await;
    Post "/admin/instruments/:type/numbers/:number/unblock" OPERATOR, [] => |at|
        admin::instruments::block(
            &at.edge()?, at.call, at.param("type"), at.param("number"), false,
        ).await;
    Get "/admin/locations/:id" OPERATOR, ["revision"] => |at|
        admin::documents::show_location(&at.edge()?, at.call, at.param("id")).await;
    Put "/admin/locations/:id" OPERATOR, [] => |at|
        admin::documents::put_location(&at.edge()?, at.call, at.param("id")).await;
    Get "/admin/members/:identifier" OPERATOR, [] => |at|
        admin::members::show(&at.edge()?, at.param("identifier")).await;
    Post "/admin/members/:identifier/adjust" OPERATOR, [] => |at|
        admin::members::adjust(&at.edge()?, at.call, at.param("identifier")).await;
    Post "/admin/members/:identifier/merge" OPERATOR, [] => |at|
        admin::members::merge(&at.edge()?, at.call, at.param("identifier")).await;
    Get "/admin/programme" OPERATOR, ["revision"] => |at|
        admin::documents::show_programme(&at.edge()?, at.call).await;
    Put "/admin/programme" OPERATOR, [] => |at|
        admin::documents::put_programme(&at.edge()?, at.call).await;
    Post "/admin/simulate" OPERATOR, [] => |at|
        admin::simulate_request(&at.edge()?, at.call, at.env).await;
    Get "/admin/tabs/:tab" OPERATOR, ["location"] => |at|
        admin::ledger::tab(&at.edge()?, at.call, at.param("tab")).await;
    Post "/admin/wallet/check" OPERATOR, [] => |at| admin::wallet::check(at.call, at.env).await;
    Get "/admin/wallet/errors" OPERATOR, ["cursor"] => |at|
        admin::wallet::errors(&at.edge()?, at.call, at.env).await;
    Post "/admin/wallet/errors/:id/retry" OPERATOR, [] => |at|
        admin::wallet::settle(&at.edge()?, at.param("id"), true).await;
    Post "/admin/wallet/errors/:id/dismiss" OPERATOR, [] => |at|
        admin::wallet::settle(&at.edge()?, at.param("id"), false).await;
};

/// Answers a request. Whatever goes wrong becomes a reply, and the next request is served.
pub async fn handle(request: Request, env: Env, context: Context) -> worker::Result<Response> {
    let call = Call::new(request);
    let result = dispatch(&call, &env).await;
    let left = call.later.take();
    if !left.is_empty() {
        context.wait_until(clean_up_all(env, call.attempt.clone(), left));
    }
    call.finish(result)
}

async fn dispatch(call: &Call, env: &Env) -> Result<Reply, Problem> {
    clock::check(env, call)?;
    let route = route(call)?;
    let vendor = route.pattern.starts_with("/gotab/");
    let refused = |problem: Problem| if vendor { gotab::mirrored(problem) } else { problem };
    let caller = admit(route, call, env).map_err(refused)?;
    (route.handler)(&At { call, env, route, caller }).await
}

/// The route of a request, which is noted for the log.
fn route(call: &Call) -> Result<&'static Route, Problem> {
    let mut here: Vec<&Route> = ROUTES.iter().filter(|route| route.is_at(&call.segments)).collect();
    // A word in a pattern goes before any text: `numbers/withdraw` is no number.
    let most = here.iter().map(|route| route.words()).max();
    here.retain(|route| Some(route.words()) == most);
    let Some(first) = here.first() else {
        return Err(Problem::new(404, "there is nothing at this address"));
    };
    call.route.set(first.pattern);
    if let Some(route) = here.iter().find(|route| route.method == call.method) {
        return Ok(route);
    }
    let names: Vec<String> = here.iter().map(|route| route.method.to_string()).collect();
    let detail = format!("this address takes {}", names.join(", "));
    Err(Problem::new(405, &detail).with_header("allow", &names.join(", ")))
}

/// Refuses who may not call a route, and parameters that it does not take.
fn admit(route: &Route, call: &Call, env: &Env) -> Result<Caller, Problem> {
    let caller = match route.who {
        Anyone => return Ok(Caller::default()),
        Who::Bare(secret) => return authorize(call, env, secret, ""),
        Who::Bearer(secret) => authorize(call, env, secret, "Bearer ")?,
    };
    match call.query_names().into_iter().find(|name| !route.query.contains(&name.as_str())) {
        None => Ok(caller),
        Some(name) => {
            let takes = match route.query {
                [] => "no parameters".to_owned(),
                names => names.join(", "),
            };
            let detail = format!("{name:?} is no parameter of this address, which takes {takes}");
            Err(Problem::new(400, &detail))
        }
    }
}

fn segments_of(pattern: &'static str) -> impl Iterator<Item = &'static str> {
    pattern.split('/').filter(|part| !part.is_empty())
}

impl Route {
    /// How many segments of the pattern are words.
    fn words(&self) -> usize {
        segments_of(self.pattern).filter(|part| !part.starts_with(':')).count()
    }

    fn is_at(&self, segments: &[String]) -> bool {
        let same = |(part, segment): (&str, &String)| part.starts_with(':') || part == segment;
        segments_of(self.pattern).count() == segments.len()
            && segments_of(self.pattern).zip(segments).all(same)
    }
}

#[cfg(test)]
mod tests;
