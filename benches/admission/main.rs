//! The cost of a review over real TLS, beside the same server with an empty handler.
//!
//! Both servers are processes of one worker thread each; the product is the program as it is run, its log going to
//! `/dev/null`. They are asked in turn, a slice at a time, so that whatever else the machine does meets both. The figure
//! is the ratio of CPU time per request, which the kernel counts for each process.

mod floor;
mod instructions;
mod load;
mod objects;
mod server;

use std::time::Duration;

use load::Load;
use server::Server;

/// Slices of each kind, server and case.
const ROUNDS: u32 = 12;

/// The length of a slice.
const SLICE: Duration = Duration::from_millis(250);

/// Connections at once where throughput is measured; latency is measured on one.
const CONNECTIONS: usize = 8;

fn main() {
    if std::env::var_os(floor::SWITCH).is_some() {
        return floor::run();
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.expect("a runtime");
    if std::env::var_os(instructions::SWITCH).is_some() {
        return runtime.block_on(instructions::count(&objects::cases()));
    }
    runtime.block_on(compare());
}

async fn compare() {
    let servers = [Server::floor(), Server::product()];
    println!(
        "{ROUNDS} rounds of {} ms per server and case, over HTTP/1.1\n",
        SLICE.as_millis()
    );
    println!(
        "{:<26} {:>9} {:>9} {:>6}   {:>9} {:>9}   {:>15} {:>15}",
        "review", "CPU us", "CPU us", "ratio", "req/s", "req/s", "p50/p99 us", "p50/p99 us"
    );
    println!(
        "{:<26} {:>9} {:>9} {:>6}   {:>9} {:>9}   {:>15} {:>15}",
        "", "floor", "product", "", "floor", "product", "floor", "product"
    );
    for case in objects::cases() {
        let mut loads = [Load::default(), Load::default()];
        for round in 0..=ROUNDS {
            if round == 1 {
                // The first round warms up connections, caches and the branch predictor.
                loads = [Load::default(), Load::default()];
            }
            for (server, load) in servers.iter().zip(&mut loads) {
                load.latency(server, &case, SLICE).await;
                load.throughput(server, &case, SLICE, CONNECTIONS).await;
            }
        }
        let [floor, product] = loads;
        println!(
            "{:<26} {:>9.1} {:>9.1} {:>6.2}   {:>9.0} {:>9.0}   {:>15} {:>15}",
            case.title(),
            floor.cpu_per_request(),
            product.cpu_per_request(),
            product.cpu_per_request() / floor.cpu_per_request(),
            1e6 / floor.cpu_per_request(),
            1e6 / product.cpu_per_request(),
            floor.percentiles(),
            product.percentiles(),
        );
    }
    println!(
        "\nCPU: of the server's process, kernel included. req/s: what one core yields at that cost."
    );
}
