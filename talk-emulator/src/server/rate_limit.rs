//! The rate limits of the REST API.

/// The limits of one app.
#[derive(Debug, Default)]
pub(super) struct RateLimits {
    /// The time from which the bucket for single requests is full, in unix microseconds.
    requests: u64,
    /// The time from which the bucket for batches is full.
    batches: u64,
}

/// A token bucket: the number of requests in a burst, and the interval of further ones in
/// microseconds.
#[derive(Debug, Clone, Copy)]
struct Bucket {
    burst: u64,
    interval: u64,
}

/// As a third party measured: 600 at once, then 9 a second.
const REQUESTS: Bucket = Bucket {
    burst: 600,
    interval: 1_000_000 / 9,
};

/// As documented: 500 at once, then 1 a second. The service queues 100 more; here they are refused
/// (our choice).
const BATCHES: Bucket = Bucket {
    burst: 500,
    interval: 1_000_000,
};

impl RateLimits {
    /// Counts a request at `now` (unix milliseconds). Returns the seconds to wait if it exceeds the
    /// limit.
    pub(super) fn count(&mut self, now: u64, is_batch: bool) -> Result<(), u64> {
        let (bucket, full_from) = if is_batch {
            (BATCHES, &mut self.batches)
        } else {
            (REQUESTS, &mut self.requests)
        };
        let now = now.saturating_mul(1000);
        let ahead = full_from.saturating_sub(now);
        let wait = ahead.saturating_sub(bucket.interval * (bucket.burst - 1));
        if wait > 0 {
            return Err(wait.div_ceil(1_000_000));
        }
        *full_from = now + ahead + bucket.interval;
        Ok(())
    }
}
