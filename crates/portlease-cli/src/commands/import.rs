//! `portlease import`

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use portlease::{Export, HostLease, Imported};

use crate::arguments::{Import, OnConflict};
use crate::exit::Code;
use crate::failure::Failure;
use crate::{output, selection};

pub(crate) fn run(task: &Import) -> Result<u8, Failure> {
    import(task).map_err(|failure| failure.told_as_json(task.json))
}

fn import(task: &Import) -> Result<u8, Failure> {
    let export = read(&task.file)?;
    let imported = selection::open_here()?.import(&export, task.on_conflict.into())?;
    let is_refused = task.on_conflict == OnConflict::Refuse && !imported.skipped.is_empty();
    if task.json {
        output::json(&imported);
    } else {
        tell(&export, &imported, is_refused);
    }
    Ok(if is_refused {
        Code::Refused
    } else {
        Code::Done
    }
    .into())
}

impl From<OnConflict> for portlease::OnConflict {
    fn from(on_conflict: OnConflict) -> Self {
        match on_conflict {
            OnConflict::Keep => Self::Keep,
            OnConflict::Replace => Self::Replace,
            OnConflict::Refuse => Self::Refuse,
        }
    }
}

fn read(file: &Path) -> Result<Export, Failure> {
    // What is no export need not end either, so it is not read as a whole first.
    if file == Path::new("-") {
        return parse("The standard input", io::stdin().lock());
    }
    let name = file.to_string_lossy();
    let opened = File::open(file).map_err(|error| unreadable(&name, &error))?;
    parse(&name, BufReader::new(opened))
}

fn parse(name: &str, text: impl Read) -> Result<Export, Failure> {
    serde_json::from_reader(text).map_err(|error| {
        if error.is_io() {
            return unreadable(name, &error.into());
        }
        no_export(format!(
            "{name} is no export of a registry: {error}. `portlease export` writes one."
        ))
    })
}

fn unreadable(name: &str, error: &io::Error) -> Failure {
    no_export(format!(
        "{name} cannot be read: {error}. Name a file that `portlease export` wrote."
    ))
}

fn no_export(message: String) -> Failure {
    Failure::new(Code::Usage, "IMPORT_UNREADABLE", message)
}

fn tell(export: &Export, imported: &Imported, is_refused: bool) {
    let each = |verb: &str, leases: &[HostLease], why: &str| {
        for HostLease { lease, .. } in leases {
            output::line(format_args!(
                "{verb} {} on port {}{why}",
                lease.key, lease.port
            ));
        }
    };
    each("added", &imported.added, "");
    each(
        "ended",
        &imported.replaced,
        ", in favour of an imported one",
    );
    let in_the_way = ": its port or its name belongs to another";
    each("left out", &imported.skipped, in_the_way);
    if is_refused {
        output::complaint(format_args!(
            "Nothing was imported. --on-conflict=keep imports the others, --on-conflict=replace all of them."
        ));
        return;
    }
    let (added, skipped) = (imported.added.len(), imported.skipped.len());
    let all: usize = export.hosts.values().map(|host| host.iter().count()).sum();
    output::note(format_args!(
        "{added} added, {skipped} left out, {} there already, {} ended",
        all - added - skipped,
        imported.replaced.len()
    ));
}
