use std::collections::BTreeSet;

use serde_json::Value;

use super::*;
use crate::routes::documents::OPENAPI;

/// By method and path, every operation that is described.
fn described() -> Vec<(String, String, Value)> {
    let document: Value = serde_json::from_str(OPENAPI).unwrap();
    let paths = document["paths"].as_object().unwrap();
    let each = paths.iter().flat_map(|(path, operations)| {
        operations.as_object().unwrap().iter().map(move |(method, operation)| {
            (method.to_uppercase(), path.replace('{', ":").replace('}', ""), operation.clone())
        })
    });
    each.collect()
}

fn described_as(route: &Route) -> Value {
    let all = described();
    let found = all
        .into_iter()
        .find(|(method, path, _)| *method == route.method.to_string() && path == route.pattern);
    found.map(|(_, _, operation)| operation).unwrap_or_default()
}

#[test]
fn every_route_is_described_and_nothing_else_is() {
    let routes: BTreeSet<_> =
        ROUTES.iter().map(|r| (r.method.to_string(), r.pattern.to_owned())).collect();
    assert_eq!(routes.len(), ROUTES.len(), "no route is there twice");
    let described: BTreeSet<_> =
        described().into_iter().map(|(method, path, _)| (method, path)).collect();
    assert_eq!(routes, described);
}

#[test]
fn every_route_is_described_with_its_parameters_and_who_may_call_it() {
    for route in ROUTES {
        let operation = described_as(route);
        let named = |place: &str| -> BTreeSet<String> {
            let all = operation["parameters"].as_array().into_iter().flatten();
            let there = all.filter(|parameter| parameter["in"] == place);
            there.map(|parameter| parameter["name"].as_str().unwrap().to_owned()).collect()
        };
        let query: BTreeSet<String> = route.query.iter().map(|&name| name.to_owned()).collect();
        assert_eq!(named("query"), query, "{}", route.pattern);
        let path = segments_of(route.pattern).filter_map(|part| part.strip_prefix(':'));
        assert_eq!(named("path"), path.map(str::to_owned).collect(), "{}", route.pattern);
        let scheme = match route.who {
            Anyone => None,
            Who::Bare("GOTAB_PROMO_AUTH") => Some("gotab_promo"),
            Who::Bare("GOTAB_LOYALTY_AUTH") => Some("gotab_loyalty"),
            Who::Bare("API_AUTH") => Some("api"),
            Who::Bare("WALLET_AUTH") => Some("wallet"),
            Who::Bearer("ADMIN_TOKEN") => Some("operator"),
            other => panic!("{other:?} is not described"),
        };
        let said = operation["security"][0].as_object().and_then(|all| all.keys().next());
        assert_eq!(said.map(String::as_str), scheme, "{}", route.pattern);
        let expected: &[&str] = match route.who {
            Anyone => &["200"],
            Who::Bare(_) => &["401", "503"],
            Who::Bearer(_) => &["400", "401", "503"],
        };
        for status in expected {
            let there = operation["responses"].get(status).is_some();
            assert!(there, "{} {} is not described with {status}", route.method, route.pattern);
        }
    }
}

#[test]
fn no_route_stands_in_another_ones_way() {
    for route in ROUTES {
        let segments: Vec<String> = segments_of(route.pattern).map(str::to_owned).collect();
        let here: Vec<_> = ROUTES
            .iter()
            .filter(|other| other.method == route.method && other.is_at(&segments))
            .map(|other| other.pattern)
            .collect();
        assert_eq!(here, [route.pattern]);
    }
}

#[test]
fn only_what_needs_no_secret_is_open() {
    let open: Vec<_> =
        ROUTES.iter().filter(|route| route.who == Anyone).map(|route| route.pattern).collect();
    let known = ["/healthz", "/openapi.json", "/schema/campaign.json", "/schema/programme.json"];
    assert_eq!(open, known);
    for route in ROUTES.iter().filter(|route| route.pattern.starts_with("/admin/")) {
        assert_eq!(route.who, OPERATOR, "{}", route.pattern);
    }
}
