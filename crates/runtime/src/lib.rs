//! What every process needs and no two should do differently: telemetry, shutdown, secrets, database settings, clock. And, for
//! tests alone, faults that are planted.

pub mod clock;
pub mod database;
pub mod planted;
pub mod secret;
pub mod shutdown;
pub mod telemetry;

/// First call of every `main`: the one TLS provider of the process. Two are compiled in, and clients that build a
/// configuration without naming one would panic.
pub fn install_tls_provider() {
    // An error means that it is installed already, which is what we want.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
