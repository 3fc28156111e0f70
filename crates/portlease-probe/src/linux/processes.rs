//! One process, as `/proc` shows it.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use std::{fs, io, iter};

use portlease_core::{Process, Timestamp};
use rustix::param::clock_ticks_per_second;
use rustix::time::{ClockId, clock_gettime};

use super::identity::{identified, process};
use crate::parse::proc_text::{self, Stat};

/// More generations than any process has; it ends a walk through numbers that are used again meanwhile.
const MOST_ANCESTORS: usize = 64;

/// More processes than a dev server starts; it bounds the search below a shell or a desktop.
const MOST_RELATIVES: usize = 256;

pub(super) fn stat(pid: u32) -> io::Result<Stat> {
    let bytes = fs::read(format!("/proc/{pid}/stat"))?;
    proc_text::stat(&bytes).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// The processes that started this one, the nearest first.
pub(super) fn ancestors(of: &Stat) -> Vec<Process> {
    let mut ancestors = Vec::new();
    let mut child = of.clone();
    while child.parent != 0 && ancestors.len() < MOST_ANCESTORS {
        let pid = child.parent;
        let Ok(parent) = stat(pid) else { break };
        // A parent that started later is another process under the same number.
        if parent.started > child.started {
            break;
        }
        ancestors.push(identified(pid, parent.started));
        child = parent;
    }
    ancestors
}

/// The process and those that it started, in generations, each read when it is asked for. A kernel
/// that keeps no lists of children shows the process alone.
pub(super) fn family(pid: u32) -> impl Iterator<Item = u32> {
    let mut waiting = VecDeque::from([pid]);
    let mut parent = None;
    let next = move || {
        waiting.extend(parent.into_iter().flat_map(children));
        parent = waiting.pop_front();
        parent
    };
    iter::from_fn(next).take(MOST_RELATIVES)
}

/// The processes that this one started, and that those started.
pub(crate) fn descendants(pid: u32) -> Vec<Process> {
    family(pid).skip(1).filter_map(process).collect()
}

fn children(pid: u32) -> Vec<u32> {
    let threads = fs::read_dir(format!("/proc/{pid}/task"))
        .into_iter()
        .flatten();
    threads
        .filter_map(|thread| fs::read_to_string(thread.ok()?.path().join("children")).ok())
        .flat_map(|text| proc_text::process_ids(&text))
        .collect()
}

/// The name of the program. The name that a process gives itself says less: it is cut off after 15
/// bytes, and every thread can change it.
pub(super) fn name(pid: u32, stat: &Stat) -> String {
    let program = fs::read_link(format!("/proc/{pid}/exe")).ok();
    let name = program
        .as_deref()
        .and_then(|program| program.file_name())
        .map(|name| name.to_string_lossy().into_owned());
    match name {
        // The kernel marks a program whose file was replaced, as an update does.
        Some(name) => name.trim_end_matches(" (deleted)").to_owned(),
        None => stat.name.clone(),
    }
}

pub(super) fn command(pid: u32) -> Vec<String> {
    let bytes = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    proc_text::command_line(&bytes)
}

pub(super) fn directory(pid: u32) -> Option<PathBuf> {
    fs::read_link(format!("/proc/{pid}/cwd")).ok()
}

pub(crate) fn user(pid: u32) -> Option<String> {
    let status = fs::read(format!("/proc/{pid}/status")).ok()?;
    let user_id = proc_text::user_id(&String::from_utf8_lossy(&status))?;
    Some(user_name(user_id))
}

/// The name of a user of this machine, or the number of one whom it does not list.
pub(super) fn user_name(user_id: u32) -> String {
    let passwd = fs::read("/etc/passwd").unwrap_or_default();
    proc_text::user_name(&String::from_utf8_lossy(&passwd), user_id)
        .map_or_else(|| user_id.to_string(), str::to_owned)
}

/// The id of the container in which it runs.
pub(super) fn container(pid: u32) -> Option<String> {
    let cgroup = fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?;
    proc_text::container_id(&cgroup).map(str::to_owned)
}

/// When the process started, by the clock on the wall.
pub(super) fn started_at(stat: &Stat) -> Option<Timestamp> {
    let up = Duration::try_from(clock_gettime(ClockId::Boottime)).ok()?;
    let millis = stat.started.checked_mul(1000)? / clock_ticks_per_second().max(1);
    let age = up.checked_sub(Duration::from_millis(millis))?;
    let started = SystemTime::now().checked_sub(age)?;
    let since_1970 = started.duration_since(UNIX_EPOCH).ok()?;
    let millis = u64::try_from(since_1970.as_millis()).ok()?;
    Some(Timestamp::from_millis(millis))
}

/// Whether the process that has the number now is this one.
pub(super) fn is_there(suspected: &Process) -> bool {
    process(suspected.pid).is_some() && !suspected.has_ended(&super::sight(suspected))
}
