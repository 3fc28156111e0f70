//! A registry whose file was damaged, or is anything at all.
#![no_main]

use libfuzzer_sys::fuzz_target;
use portlease_fuzz::Choices;
use portlease_fuzz::registry::{self, Files, Pages};

const PAGE: usize = 4096;

fuzz_target!(|bytes: &[u8]| {
    let mut choices = Choices::new(bytes);
    let mut files = match choices.byte() % 8 {
        0..5 => Files::closed().clone(),
        _ => Files::left_open().clone(),
    };
    if choices.byte().is_multiple_of(8) {
        files.database = choices.rest().to_vec();
    }
    if choices.byte().is_multiple_of(4) {
        files.forget_lock();
    }
    for _ in 0..choices.below(4) {
        let is_log = choices.byte().is_multiple_of(2) && !files.log.is_empty();
        damage(
            if is_log {
                &mut files.log
            } else {
                &mut files.database
            },
            &mut choices,
        );
    }
    let folder = registry::folder();
    registry::check_file(&files.write(&folder), Pages::MayLie);
});

/// One accident: a few bytes overwritten, a page lost, doubled or torn, the end cut off or grown.
fn damage(file: &mut Vec<u8>, choices: &mut Choices<'_>) {
    let page = choices.below(file.len() / PAGE + 1) * PAGE;
    let inside = match choices.byte() % 3 {
        // The head of a page and its list of cells say where everything else is.
        0 => choices.below(12),
        1 => choices.below(128),
        _ => choices.below(PAGE),
    };
    let at = (page + inside).min(file.len());
    match choices.byte() {
        0..150 => overwrite(file, at, choices.bytes(4)),
        150..190 => {
            let other = choices.below(file.len() / PAGE + 1) * PAGE;
            let copy = file[other.min(file.len())..]
                .iter()
                .copied()
                .take(PAGE)
                .collect::<Vec<_>>();
            overwrite(file, page, &copy);
        }
        190..210 => overwrite(file, at, &[0; PAGE]),
        210..235 => file.truncate(at),
        _ => file.extend(choices.bytes(16)),
    }
}

fn overwrite(file: &mut [u8], at: usize, bytes: &[u8]) {
    for (old, new) in file.iter_mut().skip(at).zip(bytes) {
        *old = *new;
    }
}
