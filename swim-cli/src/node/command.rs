//! What may be typed into a running member.

use swim_mio::SeedAddr;

use crate::address::{self, AddressError};

/// What a line says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Typed {
    Nothing,
    /// It waits for room, so the thread that reads hands it over.
    Broadcast(String),
    Command(Command),
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Command {
    Members,
    Stats,
    Join(Vec<SeedAddr>),
    Leave,
    Send {
        /// Its name, or its id in hexadecimal.
        to: String,
        text: String,
    },
    Meta(String),
    Help,
    Quit,
}

/// Why a line is no command.
#[derive(thiserror::Error, Debug)]
pub(crate) enum CommandError {
    #[error("`{0}` is no command; `help` lists them")]
    Unknown(String),
    #[error("`{0}` needs more: {1}")]
    Incomplete(&'static str, &'static str),
    #[error("`{0}` takes nothing behind it, but there is `{1}`")]
    Surplus(&'static str, String),
    /// `join` with something that is no address.
    #[error(transparent)]
    Address(#[from] AddressError),
}

impl Typed {
    /// Reads one line.
    pub(crate) fn parse(line: &str) -> Result<Self, CommandError> {
        let line = line.trim();
        let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let rest = rest.trim();
        let alone = |name, command| match rest {
            "" => Ok(Self::Command(command)),
            rest => Err(CommandError::Surplus(name, rest.to_owned())),
        };
        let needs = |name, usage| match rest {
            "" => Err(CommandError::Incomplete(name, usage)),
            rest => Ok(rest.to_owned()),
        };
        match word {
            "" => Ok(Self::Nothing),
            "members" => alone("members", Command::Members),
            "stats" => alone("stats", Command::Stats),
            "leave" => alone("leave", Command::Leave),
            "help" | "?" => alone("help", Command::Help),
            "quit" | "exit" => alone("quit", Command::Quit),
            "join" => {
                seeds(&needs("join", "join ADDR[,ADDR…]")?).map(|seeds| Self::Command(Command::Join(seeds)))
            }
            "broadcast" => Ok(Self::Broadcast(needs("broadcast", "broadcast TEXT")?)),
            // Empty is a text, too: it takes the old one away.
            "meta" => Ok(Self::Command(Command::Meta(rest.to_owned()))),
            "send" => match rest.split_once(char::is_whitespace) {
                Some((to, text)) => {
                    let (to, text) = (to.to_owned(), text.trim_start().to_owned());
                    Ok(Self::Command(Command::Send { to, text }))
                }
                None => Err(CommandError::Incomplete("send", "send NAME TEXT")),
            },
            other => Err(CommandError::Unknown(other.to_owned())),
        }
    }
}

fn seeds(list: &str) -> Result<Vec<SeedAddr>, CommandError> {
    let words = list.split([',', ' ', '\t']).filter(|word| !word.is_empty());
    Ok(words.map(address::seed).collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::COMMANDS;

    fn parse(line: &str) -> Command {
        match Typed::parse(line) {
            Ok(Typed::Command(command)) => command,
            other => panic!("{other:?}"),
        }
    }

    fn refusal(line: &str) -> String {
        Typed::parse(line).expect_err("refused").to_string()
    }

    #[test]
    fn the_text_of_a_message_keeps_its_inner_spaces() {
        let broadcast = Typed::parse(" broadcast  a  b ").expect("a broadcast");
        assert_eq!(broadcast, Typed::Broadcast("a  b".to_owned()));
        let send = Command::Send { to: "node-2".to_owned(), text: "a  b".to_owned() };
        assert_eq!(parse("send node-2  a  b"), send);
    }

    #[test]
    fn seeds_are_separated_by_commas_or_spaces() {
        let Command::Join(seeds) = parse("join 10.0.0.1:1, host:2 [::1]:3") else { panic!("a join") };
        let seeds: Vec<String> = seeds.iter().map(ToString::to_string).collect();
        assert_eq!(seeds, ["10.0.0.1:1", "host:2", "[::1]:3"]);
    }

    #[test]
    fn an_empty_line_is_nothing_and_an_empty_text_is_a_text() {
        assert_eq!(Typed::parse("  ").expect("fine"), Typed::Nothing);
        assert_eq!(parse("meta"), Command::Meta(String::new()));
    }

    #[test]
    fn what_is_missing_or_too_much_is_named() {
        assert_eq!(refusal("send node-2"), "`send` needs more: send NAME TEXT");
        assert_eq!(refusal("join"), "`join` needs more: join ADDR[,ADDR…]");
        assert_eq!(refusal("leave now"), "`leave` takes nothing behind it, but there is `now`");
        assert_eq!(refusal("dance"), "`dance` is no command; `help` lists them");
        assert!(refusal("join host").contains("no port"));
    }

    #[test]
    fn every_command_is_in_the_help() {
        for word in ["members", "stats", "join", "leave", "broadcast", "send", "meta", "quit", "help"] {
            assert!(COMMANDS.lines().any(|line| line.starts_with(word)), "{word}");
        }
    }
}
