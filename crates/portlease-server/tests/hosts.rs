//! The other hosts, where the registry is a file: what is leased there is told, and nobody answers for them.

mod support;

use serde_json::json;
use support::Served;

#[test]
fn a_registry_that_is_a_file_knows_its_hosts() {
    let served = Served::new();
    let wish = json!({"projectId": "shop", "framework": "vite"});
    let port = served.post("/api/leases", wish).json()["port"].clone();
    let here = served.allocator.host().to_string();
    assert_eq!(
        served.get("/api/hosts").json(),
        json!({"hosts": [{"host": here, "leases": 1}]})
    );
    let all = served.get("/api/hosts/leases").json();
    assert_eq!(all["leases"][&here][0]["port"], port);
    let other = served.get("/api/hosts/leases?project=other").json();
    assert_eq!(other, json!({"leases": {}}));
    let one = served.get(&format!("/api/hosts/leases?host={here}")).json();
    assert_eq!(one, all);
    let stats = served.get("/api/hosts/stats?range=5173-5273").json();
    assert_eq!(stats["stats"][&here]["ranges"][0]["leased"], 1);

    let on_host = format!("/api/hosts/leases?host={here}");
    let shop = json!({"project": "shop"});
    let released = served.send("DELETE", &on_host, &shop).json();
    assert_eq!(released["leases"][0]["port"], port);
}

#[test]
fn nobody_answers_for_the_hosts_of_a_file() {
    let served = Served::new();
    let on_host = "/api/hosts/leases?host=worker-7";
    let wish = json!({"projectId": "shop", "framework": "vite"});
    served.post(on_host, wish.clone()).problem(409, "NO_FLEET");
    served
        .get("/api/hosts/snapshot?host=worker-7")
        .problem(409, "NO_FLEET");
    let nowhere = json!({"host": "worker-7", "request": {"project": "shop", "services": []}, "planned": {"instance": 1, "seats": []}});
    let reply = served.post("/api/hosts/plans", nowhere);
    assert!([409, 422].contains(&reply.status), "{reply:?}");
    served
        .post("/api/hosts/leases", wish)
        .problem(422, "INVALID_ARGUMENT");
    served
        .get("/api/hosts/snapshot")
        .problem(422, "INVALID_ARGUMENT");
}
