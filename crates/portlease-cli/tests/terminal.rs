//! What a person sees at a terminal, and what a program gets instead.

#![cfg(target_os = "linux")]

mod support;

use std::os::unix::process::ExitStatusExt as _;
use std::process::Command;

use support::terminal::{self, Terminal};
use support::{Sandbox, is_there};

const REPORTS: [&[&str]; 6] = [
    &["ports"],
    &["validate"],
    &["health"],
    &["stats"],
    &["scan"],
    &["doctor"],
];

/// A sandbox in which there is something to tell.
fn furnished() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.get("a-project-with-quite-a-long-name-that-fills-a-column-alone");
    sandbox
}

fn command(sandbox: &Sandbox, arguments: &[&str]) -> Command {
    let mut command = sandbox.portlease(arguments);
    command.env_remove("NO_COLOR");
    command
}

fn seen(command: &Command) -> String {
    let (status, seen) = Terminal::of(command, 60, 50).end();
    assert!(matches!(status.code(), Some(0 | 4)), "{status}: {seen}");
    seen
}

/// The text without colours, line by line.
fn lines(seen: &str) -> Vec<String> {
    let mut plain = String::new();
    let mut rest = seen;
    while let Some((before, after)) = rest.split_once("\x1b[") {
        plain.push_str(before);
        let end = after.find(|letter: char| letter.is_ascii_alphabetic());
        rest = &after[end.unwrap() + 1..];
    }
    plain.push_str(rest);
    plain.lines().map(str::to_owned).collect()
}

#[test]
fn a_table_fits_the_terminal() {
    let sandbox = furnished();
    for report in &REPORTS[..4] {
        let seen = seen(&command(&sandbox, report));
        let table = lines(&seen);
        let table = table.iter().take_while(|line| !line.is_empty());
        let table: Vec<&String> = table.filter(|line| line.starts_with(' ')).collect();
        assert!(table.len() > 1, "{report:?}: {seen}");
        for line in table {
            assert!(line.chars().count() <= 60, "{report:?}: {line:?}");
        }
    }
}

#[test]
fn colours_are_for_terminals_and_for_those_who_want_them() {
    let sandbox = furnished();
    for report in [&["health"][..], &["doctor"]] {
        assert!(
            seen(&command(&sandbox, report)).contains("\x1b["),
            "{report:?}"
        );
    }
    for report in REPORTS {
        let mut colourless = command(&sandbox, report);
        colourless.env("NO_COLOR", "1");
        assert!(!seen(&colourless).contains('\x1b'), "{report:?}");

        let piped = support::Ended::of(command(&sandbox, report));
        let all = piped.stdout + &piped.stderr;
        assert!(!all.contains('\x1b'), "{report:?}: {all}");
    }
    let who = sandbox.ports.start.to_string();
    let mut who = command(&sandbox, &["who", &who]);
    who.env("NO_COLOR", "1");
    assert!(!seen(&who).contains('\x1b'));
}

#[test]
fn elsewhere_there_are_tabs() {
    let sandbox = furnished();
    for report in &REPORTS[..4] {
        let piped = support::Ended::of(command(&sandbox, report));
        let mut lines = piped.stdout.lines();
        let columns = lines.next().unwrap().split('\t').count();
        assert!(columns > 3, "{piped:?}");
        assert_eq!(lines.next().unwrap().split('\t').count(), columns);
    }
}

#[test]
fn a_watched_list_is_drawn_anew_until_ctrl_c() {
    let sandbox = Sandbox::new();
    for no_color in ["", "1"] {
        let mut command = sandbox.portlease(&["ports", "--watch", "0.05"]);
        command.env("NO_COLOR", no_color);
        let mut terminal = Terminal::of(&command, 80, 24);
        terminal.see("No port is leased");
        terminal.see("\x1b[H\x1b[2J");
        let project = format!("shop{no_color}");
        sandbox.get(&project);
        terminal.see(&project);
        terminal.press_ctrl_c();
        let (status, _) = terminal.end();
        assert_eq!(status.signal(), Some(2), "a shell says 130");
        let released = sandbox.ended(&["release", "--project", &project]);
        assert_eq!(released.code, Some(0), "{released:?}");
    }
}

#[test]
fn a_list_that_is_longer_than_the_terminal_says_so() {
    let sandbox = Sandbox::new();
    for project in ["one", "two", "three", "four", "five", "six"] {
        sandbox.get(project);
    }
    let command = sandbox.portlease(&["ports", "--watch", "0.05"]);
    let mut terminal = Terminal::of(&command, 120, 6);
    let seen = terminal.see(" more lines");
    let shown = lines(&seen);
    assert!(shown.len() < 6, "{shown:#?}");
    assert!(shown.last().unwrap().contains("… and 3 more"), "{shown:#?}");
}

#[test]
fn a_terminal_without_a_size_gets_everything() {
    let sandbox = furnished();
    let mut terminal = Terminal::of(&command(&sandbox, &["ports"]), 0, 0);
    let row = terminal.see("http://localhost:");
    assert!(lines(&row).last().unwrap().contains(" web "), "{row}");
    let watch = command(&sandbox, &["ports", "--watch", "0.05"]);
    Terminal::of(&watch, 0, 0).see("http://localhost:");
}

#[test]
fn a_watched_server_is_told_of_in_a_sentence() {
    let sandbox = Sandbox::new();
    sandbox.get("shop");
    let command = sandbox.portlease(&["health", "--watch", "0.05"]);
    let mut terminal = Terminal::of(&command, 80, 24);
    let seen = terminal.see("nobody listens");
    assert!(seen.contains("shop/web: "), "{seen}");
    terminal.press_ctrl_c();
    assert_eq!(terminal.end().0.signal(), Some(2));
}

/// Says where each of its interrupts comes from, until there are no more.
const COUNTING: &str = "
import signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
print('here', flush=True)
interrupt = signal.sigwaitinfo([signal.SIGINT])
while interrupt:
    print('signal from', interrupt.si_pid, flush=True)
    interrupt = signal.sigtimedwait([signal.SIGINT], 1)
sys.exit(42)
";

#[test]
fn ctrl_c_reaches_the_command_once_and_its_exit_code_the_shell() {
    let sandbox = Sandbox::new();
    let command = sandbox.portlease(&["run", "--", "python3", "-c", COUNTING]);
    let mut terminal = Terminal::of(&command, 80, 24);
    terminal.see("here");
    terminal.press_ctrl_c();
    let (status, seen) = terminal.end();
    assert_eq!(status.code(), Some(42), "{seen}");
    assert_eq!(seen.matches("signal from").count(), 1, "{seen}");
    assert!(seen.contains("signal from 0"), "from the terminal: {seen}");
}

#[test]
fn a_command_knows_that_it_is_on_a_terminal_and_reads_from_it() {
    let sandbox = Sandbox::new();
    let script =
        "test -t 0 && test -t 1 && test -t 2 && echo here; read line; echo \"heard $line\"";
    let command = sandbox.portlease(&["run", "--", "sh", "-c", script]);
    let mut terminal = Terminal::of(&command, 80, 24);
    terminal.see("here");
    terminal.write("hello\n");
    terminal.see("heard hello");
    assert_eq!(terminal.end().0.code(), Some(0));
}

#[test]
fn a_closed_terminal_ends_everything() {
    let sandbox = Sandbox::new();
    let script = "echo $$ > pid.new; mv pid.new pid; exec sleep 60";
    let command = sandbox.portlease(&["run", "--", "sh", "-c", script]);
    terminal::close_after(&command, || sandbox.read("pid").map(drop));
    let pid: u32 = sandbox.read("pid").unwrap().trim().parse().unwrap();
    assert!(!is_there(pid));
    assert!(sandbox.leases().is_empty());
}
