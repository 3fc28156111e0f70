//! The laws that the decision keeps, each stated on its own and tried on arbitrary worlds.

use proptest::prelude::ProptestConfig;

mod bounded;
mod complete;
mod facts;
mod found;
mod histories;
mod honest;
mod instances;
mod lifecycle;
mod naive;
mod planned;
mod polite;
mod pure;
mod reports;
mod situations;
mod stable;
mod unique;
mod varied;

/// So many times the usual number of cases. Counterexamples become tests with a name instead of
/// files with seeds.
fn config(times: u32) -> ProptestConfig {
    let usual = ProptestConfig::default();
    ProptestConfig {
        cases: usual.cases * times,
        failure_persistence: None,
        ..usual
    }
}
