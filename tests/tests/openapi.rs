//! The description of the HTTP surface, held against the surface.

use promo_tests::{Service, secrets};

#[test]
fn every_operation_described_is_there_and_answers_only_with_statuses_described() {
    let service = Service::shared();
    let reply = service.get("/openapi.json").send();
    assert_eq!(reply.status, 200, "{reply}");
    let described = reply.json();
    assert_eq!(described["openapi"], "3.1.0");
    assert_eq!(described["info"]["version"], env!("CARGO_PKG_VERSION"));
    let paths = described["paths"].as_object().unwrap();
    assert!(paths.len() >= 14, "{}", paths.len());
    for (path, operations) in paths {
        let at = path.replace("{id}", "described").replace("{tab}", "t").replace("{code}", "CODE");
        let at = at.replace("{type}", "1234").replace("{number}", "4006381333931");
        let at = at.replace("{identifier}", "+16085550100");
        let secret = match path.split('/').nth(1) {
            Some("gotab") if path == "/gotab/loyalty" => secrets::GOTAB_LOYALTY_AUTH.to_owned(),
            Some("gotab") => secrets::GOTAB_PROMO_AUTH.to_owned(),
            Some("wallet") => secrets::WALLET_AUTH.to_owned(),
            Some("v1") => secrets::API_AUTH.to_owned(),
            _ => format!("Bearer {}", secrets::ADMIN_TOKEN),
        };
        let operations = operations.as_object().unwrap();
        for (method, operation) in operations {
            let request = || service.request(&method.to_uppercase(), &at);
            let statuses = operation["responses"].as_object().unwrap();
            for reply in [
                request().send(),
                request().auth(&secret).send(),
                request().auth(&secret).header("Content-Type", "application/json").body(b"{}"),
            ] {
                let status = reply.status.to_string();
                assert!(statuses.contains_key(&status), "{method} {at}: {reply}");
            }
        }
        let other = service.request("PATCH", &at).auth(&secret).send();
        assert_eq!(other.status, 405, "{at}: {other}");
        let allowed: Vec<String> =
            other.header("allow").unwrap().split(", ").map(str::to_lowercase).collect();
        for method in &allowed {
            assert!(operations.contains_key(method), "{method} {at} is not described");
        }
    }
}

#[test]
fn the_documents_schemas_are_served() {
    for (document, title) in [("campaign", "Campaign"), ("programme", "Programme")] {
        let reply = Service::shared().get(&format!("/schema/{document}.json")).send();
        assert_eq!(reply.status, 200, "{reply}");
        assert_eq!(reply.json()["$schema"], "https://json-schema.org/draft/2020-12/schema");
        assert_eq!(reply.json()["title"], title);
    }
}
