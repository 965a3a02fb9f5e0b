//! Where the platform's Postgres is and as whom a process may enter it: one login role a kind of process.

use crate::secret::Secret;
use anyhow::Context;

/// A login role of the platform's cluster; `docs` and `migrations/bootstrap/roles.sql` say what each may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DbRole {
    Owner,
    Auth,
    App,
    Ingest,
    Worker,
    System,
    Global,
    Ops,
}

impl DbRole {
    pub const ALL: [Self; 8] =
        [Self::Owner, Self::Auth, Self::App, Self::Ingest, Self::Worker, Self::System, Self::Global, Self::Ops];

    /// The role's name in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Owner => "clarity_owner",
            Self::Auth => "clarity_auth",
            Self::App => "clarity_app",
            Self::Ingest => "clarity_ingest",
            Self::Worker => "clarity_worker",
            Self::System => "clarity_system",
            Self::Global => "clarity_global",
            Self::Ops => "clarity_ops",
        }
    }

    /// The environment variable with its password.
    pub const fn password_variable(self) -> &'static str {
        match self {
            Self::Owner => "CLARITY_DB_OWNER_PASSWORD",
            Self::Auth => "CLARITY_DB_AUTH_PASSWORD",
            Self::App => "CLARITY_DB_APP_PASSWORD",
            Self::Ingest => "CLARITY_DB_INGEST_PASSWORD",
            Self::Worker => "CLARITY_DB_WORKER_PASSWORD",
            Self::System => "CLARITY_DB_SYSTEM_PASSWORD",
            Self::Global => "CLARITY_DB_GLOBAL_PASSWORD",
            Self::Ops => "CLARITY_DB_OPS_PASSWORD",
        }
    }
}

/// Warns of passwords that stand in the environment of a process which enters the database as none but `own`: what it was not
/// given cannot be taken from it.
pub fn warn_of_needless(own: &[DbRole]) {
    for variable in needless(own, |name| std::env::var_os(name).is_some_and(|value| !value.is_empty())) {
        tracing::warn!(
            variable,
            "this process was given a password that it does not need: take it out of its environment"
        );
    }
}

fn needless(own: &[DbRole], is_given: impl Fn(&str) -> bool) -> Vec<&'static str> {
    let others = DbRole::ALL.into_iter().filter(|role| !own.contains(role));
    others.map(DbRole::password_variable).filter(|variable| is_given(variable)).collect()
}

/// How to enter the database as one role.
#[derive(Clone, Debug)]
pub struct DbLogin {
    pub role: DbRole,
    /// `postgres://host:port/database`, without user and password.
    pub url: String,
    pub password: Secret,
}

impl DbLogin {
    /// Reads `CLARITY_DATABASE_URL` and the role's password. None has a value of its own: a process that was given no password
    /// does not start.
    pub fn from_env(role: DbRole) -> anyhow::Result<Self> {
        Self::read(role, |name| std::env::var(name).ok().filter(|value| !value.is_empty()))
    }

    fn read(role: DbRole, of: impl Fn(&str) -> Option<String>) -> anyhow::Result<Self> {
        let url = of("CLARITY_DATABASE_URL").context(
            "CLARITY_DATABASE_URL is not set: give the platform's database as postgres://host:port/database, without user and password",
        )?;
        let variable = role.password_variable();
        let password = of(variable).with_context(|| {
            format!("{variable} is not set: it holds the password of the database role {}", role.name())
        })?;
        Ok(Self { role, url, password: Secret::new(password) })
    }
}

#[cfg(test)]
mod tests {
    use super::{DbLogin, DbRole, needless};

    #[test]
    fn a_process_is_told_of_passwords_that_it_does_not_need() {
        let given = |names: &'static [&'static str]| move |name: &str| names.contains(&name);
        let own = [DbRole::Auth, DbRole::App];
        assert_eq!(needless(&own, given(&["CLARITY_DB_AUTH_PASSWORD", "CLARITY_DB_APP_PASSWORD"])), [""; 0]);
        let all = needless(&own, |_| true);
        assert!(
            all.len() == 6 && all.contains(&"CLARITY_DB_OWNER_PASSWORD") && !all.contains(&"CLARITY_DB_APP_PASSWORD")
        );
        assert_eq!(needless(&own, given(&["CLARITY_DB_WORKER_PASSWORD"])), ["CLARITY_DB_WORKER_PASSWORD"]);
    }

    #[test]
    fn no_role_has_a_password_by_default() {
        let url = |name: &str| (name == "CLARITY_DATABASE_URL").then(|| "postgres://db/clarity".to_owned());
        for role in DbRole::ALL {
            let words = DbLogin::read(role, url).unwrap_err().to_string();
            assert!(words.contains(role.password_variable()) && words.contains(role.name()), "{words}");
            let others = |name: &str| (name != role.password_variable()).then(|| "given".to_owned());
            assert!(DbLogin::read(role, others).is_err(), "another role's password is none");
            let login = DbLogin::read(role, |_| Some("given".to_owned())).unwrap();
            assert!(!format!("{login:?}").contains("Secret(given"), "{login:?}");
        }
        assert!(DbLogin::read(DbRole::App, |_| None).is_err());
    }
}
