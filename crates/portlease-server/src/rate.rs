//! How many requests an address has left.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use crate::Rate;

/// So many addresses are remembered. Whoever is forgotten begins anew, with a full bucket.
const MOST_ADDRESSES: usize = 4096;

/// Counts the requests of each address: a bucket of tokens that fills up again.
pub(crate) struct Limiter {
    rate: Rate,
    local_rate: Rate,
    buckets: Mutex<HashMap<IpAddr, Bucket>>,
}

struct Bucket {
    tokens: f64,
    filled_at: Instant,
}

impl Limiter {
    pub(crate) fn new(rate: Rate, local_rate: Rate) -> Self {
        Self {
            rate,
            local_rate,
            buckets: Mutex::default(),
        }
    }

    /// Takes a request off the address' account, or says in how many seconds it may ask again.
    pub(crate) fn take(&self, address: IpAddr, now: Instant) -> Result<(), u64> {
        let rate = if address.to_canonical().is_loopback() {
            self.local_rate
        } else {
            self.rate
        };
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MOST_ADDRESSES {
            buckets.retain(|_, bucket| bucket.tokens_at(now, rate) < rate.burst);
        }
        if buckets.len() >= MOST_ADDRESSES {
            buckets.clear();
        }
        let bucket = buckets.entry(network(address)).or_insert(Bucket {
            tokens: rate.burst,
            filled_at: now,
        });
        bucket.tokens = bucket.tokens_at(now, rate);
        bucket.filled_at = now;
        if bucket.tokens >= 1.0 {
            bucket.tokens -= 1.0;
            return Ok(());
        }
        let seconds = (1.0 - bucket.tokens) / rate.per_second;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a number of seconds that is positive and small; what is too large saturates"
        )]
        Err(seconds.ceil().max(1.0) as u64)
    }
}

impl Bucket {
    fn tokens_at(&self, now: Instant, rate: Rate) -> f64 {
        let passed = now.saturating_duration_since(self.filled_at).as_secs_f64();
        (self.tokens + passed * rate.per_second).min(rate.burst)
    }
}

/// Whoever has an address of IPv6 has all of its network.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) if address.is_loopback() => address.into(),
        IpAddr::V6(address) => {
            let bits = address.to_bits() & !u128::from(u64::MAX);
            Ipv6Addr::from_bits(bits).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn limiter() -> Limiter {
        let rate = |per_second, burst| Rate { per_second, burst };
        Limiter::new(rate(2.0, 3.0), rate(1000.0, 1000.0))
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_burst_is_let_through_and_the_rest_waits() {
        let (limiter, now) = (limiter(), Instant::now());
        let ask = |after| limiter.take(address("192.0.2.1"), now + Duration::from_millis(after));
        assert_eq!(
            [ask(0), ask(0), ask(0), ask(0)],
            [Ok(()), Ok(()), Ok(()), Err(1)]
        );
        assert_eq!([ask(400), ask(500), ask(500)], [Err(1), Ok(()), Err(1)]);
        assert_eq!(
            limiter.take(address("192.0.2.2"), now),
            Ok(()),
            "each address has its own"
        );
    }

    #[test]
    fn a_network_is_one_address() {
        let (limiter, now) = (limiter(), Instant::now());
        let ask = |last: u16| limiter.take(address(&format!("2001:db8::{last:x}")), now);
        let granted = (1..=9).filter(|last| ask(*last).is_ok());
        assert_eq!(granted.count(), 3);
        assert_eq!(limiter.take(address("2001:db8:0:1::1"), now), Ok(()));
        assert_eq!(limiter.take(address("::ffff:127.0.0.1"), now), Ok(()));
        assert!((0..500).all(|_| limiter.take(address("127.0.0.1"), now).is_ok()));
    }

    #[test]
    fn many_addresses_take_no_more_memory() {
        let (limiter, now) = (limiter(), Instant::now());
        for number in 0..20_000_u32 {
            let _ = limiter.take(IpAddr::V4((number + (1 << 24)).into()), now);
        }
        assert!(limiter.buckets.lock().unwrap().len() <= MOST_ADDRESSES);
    }
}
