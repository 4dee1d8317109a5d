//! The recorded values: latencies of five distributions and of one more, the same in every run.

use std::f64::consts::TAU;

/// The values of each distribution.
pub const VALUES: usize = 100_000;

/// Values of one distribution, in nanoseconds.
pub struct Samples {
    pub title: &'static str,
    pub values: Vec<u64>,
    sorted: Vec<u64>,
}

impl Samples {
    fn new(title: &'static str, mut draw: impl FnMut(&mut Random) -> f64) -> Self {
        let mut random = Random(title.len() as u64);
        let values: Vec<u64> = (0..VALUES).map(|_| whole_nanoseconds(draw(&mut random))).collect();
        let mut sorted = values.clone();
        sorted.sort_unstable();
        Self { title, values, sorted }
    }

    /// The exact quantile in nanoseconds: the smallest value that at least this share of all values does not exceed.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "the rank lies between 1 and the number of values"
    )]
    pub fn quantile(&self, share: f64) -> u64 {
        let rank = (share * self.sorted.len() as f64).ceil() as usize;
        self.sorted[rank.max(1) - 1]
    }

    /// How many times the smallest value the largest one is.
    #[expect(clippy::cast_precision_loss, reason = "a ratio for people")]
    pub fn spread(&self) -> f64 {
        self.sorted[self.sorted.len() - 1] as f64 / self.sorted[0] as f64
    }
}

/// All distributions.
pub fn all() -> Vec<Samples> {
    vec![
        Samples::new("uniform, 1 ms to 100 ms", |random| 1e-3 + 99e-3 * random.share()),
        Samples::new("normal, 50 ms with a deviation of 10 ms", |random| 50e-3 + 10e-3 * random.normal()),
        log_normal(),
        Samples::new("bimodal, 0.2 ms and 20 ms, with outliers to 60 s", |random| match random.share() {
            ..0.9 => 2e-4 + 2e-5 * random.normal(),
            ..0.999 => 2e-2 + 3e-3 * random.normal(),
            _ => 1.0 + 59.0 * random.share(),
        }),
        Samples::new("Pareto, from 1 ms with the exponent 1.5", |random| {
            1e-3 * random.share().powf(-1.0 / 1.5)
        }),
        Samples::new("exponential, mean of 10 ms, so down to nothing", |random| -1e-2 * random.share().ln()),
    ]
}

/// Latencies as services have them: what costs are compared with.
pub fn log_normal() -> Samples {
    Samples::new("log-normal, median of 5 ms", |random| 5e-3 * random.normal().exp())
}

/// Values that are spread evenly over all octaves of the range in which the error is at most 4.5%.
pub fn widest() -> Samples {
    Samples::new("log-uniform, 1 us to 0.9 s", |random| 1e-6 * 9e5_f64.powf(random.share()))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates")]
fn whole_nanoseconds(seconds: f64) -> u64 {
    ((seconds * 1e9).round() as u64).max(1)
}

/// `SplitMix64`: small, fast, and good enough to draw latencies.
struct Random(u64);

impl Random {
    /// A number above 0 and at most 1.
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
    fn share(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (((mixed ^ (mixed >> 31)) >> 11) + 1) as f64 / (1_u64 << 53) as f64
    }

    /// A number of the standard normal distribution, by the method of Box and Muller.
    fn normal(&mut self) -> f64 {
        (-2.0 * self.share().ln()).sqrt() * (TAU * self.share()).cos()
    }
}
