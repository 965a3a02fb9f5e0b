//! Making the database: `bootstrap` as a superuser, `migrate` as its owner.

use anyhow::Context;
use clarity_runtime::database::{DbLogin, DbRole};
use clarity_runtime::secret::Secret;
use clarity_store::setup;

/// Makes the roles with the passwords of the environment, and the database of `CLARITY_DATABASE_URL`.
pub async fn bootstrap(admin_url: &str) -> anyhow::Result<()> {
    let passwords: Vec<(DbRole, Secret)> = DbRole::ALL
        .into_iter()
        .map(|role| {
            let variable = role.password_variable();
            let password = std::env::var(variable)
                .with_context(|| format!("{variable} is not set: choose a password for {}", role.name()))?;
            Ok((role, Secret::new(password)))
        })
        .collect::<anyhow::Result<_>>()?;
    let url = std::env::var("CLARITY_DATABASE_URL")
        .context("CLARITY_DATABASE_URL is not set: give the database as postgres://host:port/database")?;
    let database = database_name(&url).context("CLARITY_DATABASE_URL does not name a database")?;
    setup::bootstrap(admin_url, database, &passwords).await?;
    tracing::info!(database, "roles and database are made");
    Ok(())
}

pub async fn migrate() -> anyhow::Result<()> {
    setup::migrate(&DbLogin::from_env(DbRole::Owner)?).await?;
    tracing::info!("the database is up to date");
    Ok(())
}

fn database_name(url: &str) -> Option<&str> {
    let (_, place) = url.split_once("://")?;
    let (_, name) = place.split_once('/')?;
    let name = name.split('?').next()?;
    (!name.is_empty() && !name.contains('/')).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::database_name;

    #[test]
    fn the_database_is_the_addresss_path() {
        assert_eq!(database_name("postgres://127.0.0.1:5432/clarity"), Some("clarity"));
        assert_eq!(database_name("postgres://h/clarity?sslmode=require"), Some("clarity"));
        assert_eq!(database_name("postgres://127.0.0.1:5432"), None);
        assert_eq!(database_name("postgres://127.0.0.1:5432/"), None);
    }
}
