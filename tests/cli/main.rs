//! The program's own output: what a user types, what he reads, and the exit code.

mod audit;
mod authored;
mod ci;
mod explain;
mod formats;
mod pages;
mod policy;
mod program;
mod scale;
mod shell;
mod terminal;
mod wrong_input;
