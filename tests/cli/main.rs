//! The program's own output: what a user types, what he reads, and the exit code.

mod audit;
mod authored;
mod ci;
mod explain;
mod fix;
mod formats;
mod hostile;
mod pages;
mod policy;
mod post_render;
mod program;
mod promise;
mod scale;
mod shell;
mod terminal;
mod unreadable;
mod wrong_input;
