//! Whether the time of an answer tells that an address has an account: sign-in with a wrong password, and asking for a new
//! password, with addresses that have one and addresses that have none, in turns, many times. `cargo xtask bench pipeline
//! --only sign-in` runs it and reads the one line that it prints.
//!
//! The services are the real ones, with their real cost of a password. The cluster is the tests', which does not wait for the
//! disk: beside a commit that does, a difference would be harder to see.

use clarity_domain::error::ErrorCode;
use clarity_runtime::database::{DbLogin, DbRole};
use clarity_runtime::secret::Secret;
use clarity_service::{
    Client, Limits, MailSettings, NewWorkspace, OutgoingSettings, SecretsKey, Services, Settings, SignIn,
};
use clarity_store::{AppStore, AuthStore};
use clarity_testkit::TestDb;
use clarity_testkit::stats::{DRAWS, Draws, interval, median};
use serde_json::json;
use std::error::Error;
use std::num::NonZeroU32;
use std::time::{Duration, Instant};

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// Pairs of a known and an unknown address: each is used once, so that no throttle has a say.
const PAIRS: usize = 600;
/// Fewer prove nothing.
const LEAST: usize = 300;
/// Left out.
const WARM: usize = 20;
/// What the pairs of one question may take; those of the other are fast.
const WITHIN: Duration = Duration::from_secs(70);
/// After each answer: what is done beside it is done, and is not measured with the next one.
const PAUSE: Duration = Duration::from_millis(8);
/// Of Welch's t. At 4.5 a difference this large comes by chance once in 100,000 runs.
const GOAL: f64 = 4.5;

/// As many members as there are pairs, each with the first one's password, so that every refusal goes into an audit log.
const SEED: &str = "
  insert into auth.users (id, email, name, password_hash, email_verified_at)
    select gen_random_uuid(), 'k' || n || '@timing.example', 'Bench', u.password_hash, now()
    from auth.users u, generate_series(1, {}) n
    where u.email = 'owner@timing.example';
  insert into auth.memberships (workspace_id, user_id, role)
    select w.id, u.id, 'viewer' from auth.workspaces w, auth.users u where u.email like 'k%@timing.example';
  analyze auth.users";

struct Bed {
    services: Services,
    client: Client,
    /// The last: the database goes with it.
    _db: TestDb,
}

#[derive(Clone, Copy)]
enum Question {
    SignIn,
    Reset,
}

/// Milliseconds, pair by pair.
#[derive(Default)]
struct Seen {
    known: Vec<f64>,
    unknown: Vec<f64>,
}

#[tokio::main]
async fn main() -> Outcome {
    let bed = Bed::make().await?;
    let sign_in = bed.ask_all(Question::SignIn).await?;
    let reset = bed.ask_all(Question::Reset).await?;
    let (sign_in_t, sign_in_ms) = told("sign-in with a wrong password", &sign_in);
    let (reset_t, reset_ms) = told("asking for a new password", &reset);
    println!(
        "{}",
        json!({
            "sign_in_t": sign_in_t, "sign_in_ms": sign_in_ms, "sign_in_pairs": sign_in.known.len(),
            "reset_t": reset_t, "reset_ms": reset_ms, "reset_pairs": reset.known.len(),
        })
    );
    Ok(())
}

impl Bed {
    async fn make() -> Outcome<Self> {
        let db = TestDb::new().await;
        let login =
            |role: DbRole| DbLogin { role, url: db.url(role.name()), password: Secret::new(db.cluster().password()) };
        let auth = AuthStore::connect(&login(DbRole::Auth), 4).await?;
        let app = AppStore::connect(&login(DbRole::App), 4).await?;
        let settings = Settings {
            public_url: "https://clarity.example".into(),
            agent_url: "wss://agents.example".into(),
            mail: MailSettings::outbox("Clarity Stream <no-reply@clarity.example>")?,
            secrets: SecretsKey::from_password(&Secret::new("a bench's")),
            // A name server that nobody is at.
            outgoing: OutgoingSettings { resolver: Some(([127, 0, 0, 1], 9).into()), ..OutgoingSettings::default() },
            limits: Limits { attempts_per_minute: NonZeroU32::MAX, ..Limits::default() },
        };
        let services = Services::new(auth, app, settings).map_err(|error| error.message)?;
        let owner = NewWorkspace {
            workspace: "Timing".into(),
            name: "Bench".into(),
            email: "owner@timing.example".into(),
            password: "four plain words here".into(),
        };
        services.ensure_workspace(owner).await.map_err(|error| error.message)?;
        db.admin().await.batch_execute(&SEED.replace("{}", &(WARM + PAIRS).to_string())).await?;
        let client = Client { address: "192.0.2.1".into(), user_agent: Some("bench".into()), request_id: None };
        Ok(Self { services, client, _db: db })
    }

    /// Each first as often as the other, and each as often behind itself as behind the other.
    async fn ask_all(&self, question: Question) -> Outcome<Seen> {
        let (mut seen, began) = (Seen::default(), Instant::now());
        for n in 1..=WARM + PAIRS {
            for known in if n % 2 == 0 { [true, false] } else { [false, true] } {
                let email = format!("{}{n}@timing.example", if known { "k" } else { "u" });
                let took = self.ask(question, email).await?;
                if n > WARM {
                    let side = if known { &mut seen.known } else { &mut seen.unknown };
                    side.push(took);
                }
                tokio::time::sleep(PAUSE).await;
            }
            if n % 20 == 0 {
                eprint!("\r{} of {PAIRS} pairs", n.saturating_sub(WARM));
            }
            if began.elapsed() > WITHIN {
                break;
            }
        }
        eprintln!();
        if seen.known.len() < LEAST {
            return Err(format!("only {} pairs within {} s", seen.known.len(), WITHIN.as_secs()).into());
        }
        Ok(seen)
    }

    /// Milliseconds until the answer.
    async fn ask(&self, question: Question, email: String) -> Outcome<f64> {
        let began = Instant::now();
        let told = match question {
            Question::SignIn => {
                let form = SignIn { email, password: "not the password".into() };
                self.services.sign_in(form, &self.client).await.err().map(|error| (error.code, error.message))
            }
            Question::Reset => {
                let answer = self.services.ask_password_reset(&email, &self.client).await;
                answer.err().map(|error| (error.code, error.message))
            }
        };
        let took = began.elapsed().as_secs_f64() * 1000.0;
        // Of all the same answer, or times say nothing.
        match (question, told) {
            (Question::SignIn, Some((ErrorCode::Invalid, _))) | (Question::Reset, None) => Ok(took),
            (_, told) => Err(format!("another answer than expected: {told:?}").into()),
        }
    }
}

/// Welch's t and the difference of the medians, told beside the goal.
fn told(name: &str, seen: &Seen) -> (f64, f64) {
    let t = welch(&seen.known, &seen.unknown);
    let (known, unknown) = (median(&seen.known), median(&seen.unknown));
    let (low, high) = bootstrap(seen);
    let word = if t.abs() < GOAL { "reached" } else { "missed" };
    eprintln!("{name}: t {t:+.2}, goal |t| < {GOAL}: {word}");
    eprintln!(
        "  medians of {} pairs: {known:.4} ms known, {unknown:.4} ms unknown, difference {:+.4} ms ({low:+.4} to {high:+.4})",
        seen.known.len(),
        known - unknown
    );
    (t, known - unknown)
}

/// Of two samples whose spreads may differ.
fn welch(one: &[f64], other: &[f64]) -> f64 {
    let ((mean, spread), (other_mean, other_spread)) = (moments(one), moments(other));
    (mean - other_mean) / (spread / one.len() as f64 + other_spread / other.len() as f64).sqrt()
}

/// Mean and variance.
fn moments(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    (mean, values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0))
}

/// Between which values 95 % of the differences of the medians lie, of a thousand draws with replacement from each side.
fn bootstrap(seen: &Seen) -> (f64, f64) {
    let mut draws = Draws::default();
    let mut draw =
        |values: &[f64]| -> Vec<f64> { (0..values.len()).map(|_| values[draws.below(values.len())]).collect() };
    interval((0..DRAWS).map(|_| median(&draw(&seen.known)) - median(&draw(&seen.unknown))).collect())
}
