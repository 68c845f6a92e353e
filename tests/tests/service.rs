//! The service as such: it is there, and comes back.

use promo_tests::Service;

#[test]
fn a_fresh_service_is_healthy_and_says_its_version() {
    let service = Service::start();

    let reply = service.get("/healthz").send();

    assert_eq!(reply.status, 200, "{reply}");
    assert_eq!(reply.json()["status"], "ok");
    assert_eq!(reply.json()["version"], env!("CARGO_PKG_VERSION"));
}

#[test]
fn a_killed_service_comes_back_on_its_port() {
    let mut service = Service::start();
    let url = service.url();

    service.kill();
    let gone = service.get("/healthz").try_send();
    service.restart();

    assert!(gone.is_err(), "replied though killed: {gone:?}");
    assert_eq!(service.url(), url);
    assert_eq!(service.get("/healthz").send().status, 200);
}
