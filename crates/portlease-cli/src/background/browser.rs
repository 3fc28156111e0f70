//! Opening what is served.

use std::env;
use std::io;
use std::process::{Command, Stdio};

/// Opens the URL with what `BROWSER` names, as editors set it for terminals on other machines, or else as the desktop does.
pub(crate) fn open(url: &str) -> io::Result<()> {
    let said = env::var("BROWSER").unwrap_or_default();
    match words(&said, url) {
        Some((program, arguments)) => {
            let mut browser = Command::new(program);
            // Its chatter would appear among that of other commands.
            let browser = browser.args(arguments).stdin(Stdio::null());
            browser
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()?;
            Ok(())
        }
        None => open::that_detached(url),
    }
}

/// The first of the commands that the variable lists, with the URL where it says `%s`, or else at the end.
fn words(said: &str, url: &str) -> Option<(String, Vec<String>)> {
    let first = said.split(':').next()?;
    let mut words = shlex::split(first)?.into_iter();
    let program = words.next()?;
    let mut arguments: Vec<String> = words.collect();
    if arguments.iter().any(|word| word.contains("%s")) {
        for word in &mut arguments {
            *word = word.replace("%s", url);
        }
    } else {
        arguments.push(url.to_owned());
    }
    Some((program, arguments))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(said: &str, expected: &[&str]) {
        let words =
            words(said, "URL").map(|(program, arguments)| [vec![program], arguments].concat());
        assert_eq!(words.unwrap_or_default(), expected, "{said:?}");
    }

    #[test]
    fn the_variable_names_commands_as_desktops_read_it() {
        check("", &[]);
        check("firefox", &["firefox", "URL"]);
        check("/usr/bin/w3m:lynx", &["/usr/bin/w3m", "URL"]);
        check(
            "chromium --new-window",
            &["chromium", "--new-window", "URL"],
        );
        check("sh -c 'open %s &'", &["sh", "-c", "open URL &"]);
    }
}
