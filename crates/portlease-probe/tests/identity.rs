//! Processes that live, that have ended, and that only look alike.

#![cfg(target_os = "linux")]

mod support;

use std::process::{Child, Command, Stdio};

use portlease_core::{Name, Process, Seen};
use portlease_probe::identity::{process, sight, this_host, this_process};
use support::{inside, inside_own_network};

fn child() -> Child {
    Command::new("cat").stdin(Stdio::piped()).spawn().unwrap()
}

fn check(process: &Process, has_ended: bool) {
    let sighting = sight(process);
    assert_eq!(
        process.has_ended(&sighting),
        has_ended,
        "{process:?} {sighting:?}"
    );
}

#[test]
fn a_process_is_complete_and_the_same_each_time() {
    let this = this_process();
    assert_eq!(this.pid, std::process::id());
    assert!(this.started.is_some() && this.boot.is_some() && this.namespace.is_some());
    assert_eq!(this_process(), this);
    check(&this, false);
}

#[test]
fn a_killed_child_has_ended_before_and_after_it_is_reaped() {
    let mut child = child();
    let identity = process(child.id()).unwrap();
    assert_eq!(identity.pid, child.id());
    check(&identity, false);

    child.kill().unwrap();
    // Waits for the end and leaves the exit status where it is.
    let pid = rustix::process::Pid::from_child(&child);
    let options = rustix::process::WaitIdOptions::EXITED | rustix::process::WaitIdOptions::NOWAIT;
    rustix::process::waitid(rustix::process::WaitId::Pid(pid), options).unwrap();
    check(&identity, true);
    assert_eq!(process(child.id()), None);

    child.wait().unwrap();
    check(&identity, true);
    assert_eq!(process(identity.pid), None);
}

#[test]
fn a_process_of_the_same_number_is_another() {
    let this = this_process();
    let earlier = Process {
        started: this.started.map(|started| started - 1),
        ..this.clone()
    };
    check(&earlier, true);
    let of_an_earlier_boot = Process {
        boot: Some(Name::literal("another")),
        ..this.clone()
    };
    check(&of_an_earlier_boot, true);
    let of_another_namespace = Process {
        namespace: Some(1),
        ..earlier
    };
    check(&of_another_namespace, false);
}

#[test]
fn numbers_that_no_process_can_have_are_nobodys() {
    for pid in [0, u32::MAX, i32::MAX.unsigned_abs()] {
        assert_eq!(process(pid), None);
        let nobody = Process {
            pid,
            ..this_process()
        };
        check(&nobody, true);
    }
}

#[test]
fn the_processes_of_others_are_alive() {
    let first = process(1).unwrap();
    check(&first, false);
}

#[test]
fn a_process_table_of_another_namespace_proves_nothing() {
    let test = "a_process_table_of_another_namespace_proves_nothing";
    // The numbers of the processes are new and /proc still shows the old ones.
    let wrapper = ["unshare", "--map-root-user", "--pid", "--fork"];
    inside(&wrapper, test, || {
        let this = this_process();
        assert_eq!(this.started, None);
        check(&this, false);
        assert_eq!(sight(&this).seen, Seen::Unclear);
    });
}

#[test]
fn a_process_of_another_namespace_is_not_judged() {
    let test = "a_process_of_another_namespace_is_not_judged";
    let outside = this_process();
    let namespace = outside.namespace;
    let wrapper = [
        "unshare",
        "--map-root-user",
        "--pid",
        "--fork",
        "--mount-proc",
    ];
    inside(&wrapper, test, || {
        let inside = this_process();
        assert!(inside.started.is_some());
        assert_eq!(inside.namespace, namespace);
        check(&inside, false);
        let elsewhere = Process {
            pid: 99_999,
            namespace: Some(1),
            ..inside
        };
        assert_eq!(sight(&elsewhere).seen, Seen::Nobody);
        check(&elsewhere, false);
    });
}

#[test]
fn each_network_is_a_host_of_its_own() {
    let outside = this_host().unwrap();
    assert_eq!(outside, this_host().unwrap());
    // The settings of the hardware's queues are in the network of the machine only.
    let is_machines_own = std::fs::exists("/proc/sys/net/core/dev_weight").unwrap();
    assert_eq!(outside.network_namespace.is_none(), is_machines_own);
    inside_own_network("each_network_is_a_host_of_its_own", || {
        let inside = this_host().unwrap();
        assert!(inside.network_namespace.is_some());
        assert!(inside.host().to_string().contains("/net-"));
    });
}
