//! What the exit codes mean. The help of the command says the same.
/// The codes of Portlease itself; `run` passes on those of its command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Code {
    /// It was done.
    Done,
    /// Something is broken: the registry cannot be read, for instance.
    Broken,
    /// The arguments or the configuration are not understood.
    Usage,
    /// No port can be had as it was asked for.
    Refused,
    /// What was asked about is not there.
    Nothing,
    /// What was asked about is not well.
    Unwell,
    /// The server did not come up on its port.
    NotServing,
    /// The command exists and cannot be started.
    NotExecutable,
    /// There is no such command.
    NoCommand,
}

/// The table at the end of the help.
pub(crate) const HELP: &str = "\
Exit codes:
  0    done
  1    something is broken, such as a registry that cannot be read
  2    the arguments or the configuration are not understood
  3    no port can be had as it was asked for
  4    what was asked about is not there, or not well
  5    the server did not come up on its port
  126  the command cannot be started
  127  there is no such command
  `run` passes on the exit code of its command; 128 + N when signal N ended it.";

impl Code {
    pub(crate) fn number(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Broken => 1,
            Self::Usage => 2,
            Self::Refused => 3,
            Self::Nothing | Self::Unwell => 4,
            Self::NotServing => 5,
            Self::NotExecutable => 126,
            Self::NoCommand => 127,
        }
    }
}

impl From<Code> for u8 {
    fn from(code: Code) -> Self {
        code.number()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_help_names_every_code() {
        let all = [
            Code::Done,
            Code::Broken,
            Code::Usage,
            Code::Refused,
            Code::Nothing,
            Code::Unwell,
            Code::NotServing,
            Code::NotExecutable,
            Code::NoCommand,
        ];
        for code in all {
            let line = format!("\n  {:<5}", code.number());
            assert!(HELP.contains(&line), "{code:?}");
        }
    }
}
