//! Explores the protocol, or plants known mistakes in it and finds them.

use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use portlease_tests::model::{
    Counterexample, Exploration, FULL, Mutant, SMALL, Scenario, explore, hunt, smallest_for,
};

/// Explores every order in which processes, sweepers and foreign programs can meet.
#[derive(Debug, Parser)]
#[command(name = "model")]
struct Arguments {
    /// Only the scenarios of the gate; the mutants are small as they are
    #[arg(long)]
    small: bool,
    /// Plant known mistakes, one after the other, and fail unless each breaks a law
    #[arg(long)]
    mutants: bool,
    /// Print each counterexample step by step
    #[arg(long, visible_alias = "verbose")]
    trace: bool,
}

/// As many as the smallest machine of the workflow has processors.
const THREADS: usize = 2;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let is_good = if arguments.mutants {
        find_mutants(arguments.trace)
    } else {
        explore_all(if arguments.small { SMALL } else { FULL })
    };
    if is_good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn explore_all(scenarios: &[Scenario]) -> bool {
    let begin = Instant::now();
    let (mut states, mut unique, mut depth, mut violations) = (0, 0, 0, 0);
    let mut unreached: Vec<&str> = Exploration::wanted().collect();
    for scenario in scenarios {
        let found = explore(*scenario, THREADS);
        println!(
            "{:9} states, {:8} of them different, {:2} steps deep, {:5.1} s: {}",
            found.states,
            found.unique,
            found.depth,
            found.time.as_secs_f64(),
            scenario.name
        );
        // A violation without the way to it is of no use to anybody, so it is always printed.
        for broken in &found.broken {
            println!("broken after {} steps: {}", broken.steps, broken.law);
            print!("{}", broken.trace);
        }
        states += found.states;
        unique += found.unique;
        depth = depth.max(found.depth);
        violations += found.broken.len();
        unreached.retain(|name| !found.reached.contains(name));
    }
    for name in &unreached {
        println!("never reached, so the scenarios are worth less than they should be: {name}");
    }
    let seconds = begin.elapsed().as_secs_f64();
    let unreached = unreached.len();
    println!(
        "states={states} unique={unique} depth={depth} seconds={seconds:.1} unreached={unreached} \
         violations={violations}"
    );
    violations == 0 && unreached == 0
}

fn find_mutants(with_trace: bool) -> bool {
    let (mut caught, mut false_alarms) = (0, 0);
    for mutant in Mutant::ALL {
        let scenario = smallest_for(mutant);
        match hunt(scenario, Some(mutant)) {
            Some(Counterexample { law, steps, trace }) => {
                caught += 1;
                println!("mutant={mutant} caught=yes property=\"{law}\" steps={steps}");
                if with_trace {
                    print!("{trace}");
                }
            }
            None => println!("mutant={mutant} caught=no"),
        }
        // A law that breaks without the mistake as well says nothing about the mistake.
        if let Some(Counterexample { law, steps, trace }) = hunt(scenario, None) {
            false_alarms += 1;
            println!("without {mutant}: broken after {steps} steps: {law}");
            print!("{trace}");
        }
    }
    let mutants = Mutant::ALL.len();
    let missed = mutants - caught;
    println!("mutants={mutants} caught={caught} missed={missed} false_alarms={false_alarms}");
    missed == 0 && false_alarms == 0
}
