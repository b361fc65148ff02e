//! How far a long audit is, on a terminal.

use std::io::{self, IsTerminal, Write as _};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use crate::review::progress::Progress;

/// Nobody wants to be told of what is over at once.
const FIRST: Duration = Duration::from_secs(1);
const EVERY: Duration = Duration::from_millis(200);

/// To the start of the line, and the line erased (ECMA-48, EL).
const ERASE: &str = "\r\u{1b}[K";

/// Does the work; where it takes longer than a second, one line on stderr says how far it is, if that is a terminal, and is gone at the
/// end.
pub(super) fn shown<T>(progress: &Progress, work: impl FnOnce() -> T) -> T {
    let is_dumb = std::env::var_os("TERM").is_some_and(|name| name == "dumb");
    if is_dumb || !io::stderr().is_terminal() {
        return work();
    }
    let (working, done) = channel::<()>();
    thread::scope(move |scope| {
        scope.spawn(move || draw(progress, &done));
        let result = work();
        drop(working);
        result
    })
}

fn draw(progress: &Progress, done: &Receiver<()>) {
    let mut wait = FIRST;
    while done.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
        tell(&format!("{ERASE}{}", words(progress)));
        wait = EVERY;
    }
    if wait == EVERY {
        tell(ERASE);
    }
}

/// A terminal that is gone is no reason to stop.
fn tell(text: &str) {
    let mut terminal = io::stderr().lock();
    let _ = terminal
        .write_all(text.as_bytes())
        .and_then(|()| terminal.flush());
}

fn words(progress: &Progress) -> String {
    match (progress.judged(), progress.found()) {
        (0, 0) => "reading ...".to_owned(),
        (judged, found) if judged <= found => format!("judged {judged} of {found} StatefulSets"),
        (judged, _) => format!("judged {judged} StatefulSets"),
    }
}
