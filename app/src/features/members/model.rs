//! How roles and members are said. Plain Rust.

use clarity_domain::{
    ids::SiteId,
    role::{Role, may_grant},
    view::sites::SiteCard,
};

pub const fn role_name(role: Role) -> &'static str {
    match role {
        Role::Owner => "Owner",
        Role::Admin => "Admin",
        Role::Operator => "Operator",
        Role::Viewer => "Viewer",
    }
}

/// What a role is for, after "as an admin" and the like.
pub const fn role_words(role: Role) -> &'static str {
    match role {
        Role::Owner => "everything, and billing",
        Role::Admin => "sources, alerts and members",
        Role::Operator => "dashboards and acknowledging",
        Role::Viewer => "looking only",
    }
}

/// "an admin", "a viewer".
pub const fn a_role(role: Role) -> &'static str {
    match role {
        Role::Owner => "an owner",
        Role::Admin => "an admin",
        Role::Operator => "an operator",
        Role::Viewer => "a viewer",
    }
}

/// For a choice: the word in forms, and the name.
pub fn choices(roles: impl IntoIterator<Item = Role>) -> Vec<(String, String)> {
    roles.into_iter().map(|role| (role.as_str().to_owned(), role_name(role).to_owned())).collect()
}

/// Roles that `actor` may give to somebody new, the least last.
pub fn grantable(actor: Role) -> Vec<Role> {
    Role::ALL.into_iter().filter(|role| may_grant(actor, *role)).collect()
}

/// "Every site", "Plant North, Plant South". Sites that are gone are not named.
pub fn sites_words(limit: Option<&[SiteId]>, sites: &[SiteCard]) -> String {
    let Some(limit) = limit else { return "Every site".into() };
    let named: Vec<&str> =
        sites.iter().filter(|site| limit.contains(&site.id)).map(|site| site.name.as_str()).collect();
    if named.is_empty() { "No site that is still there".into() } else { named.join(", ") }
}

/// "1 person", "12 people".
pub fn people(count: u32) -> String {
    match count {
        1 => "1 person".into(),
        n => format!("{n} people"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_said_by_the_names_of_its_sites() {
        let id = |n| SiteId(uuid::Uuid::from_u128(n));
        let site = |n, name: &str| SiteCard { id: id(n), name: name.into() };
        let sites = [site(1, "Plant North"), site(2, "Plant South")];
        assert_eq!(sites_words(None, &sites), "Every site");
        assert_eq!(sites_words(Some(&[id(2), id(1)]), &sites), "Plant North, Plant South");
        assert_eq!(sites_words(Some(&[id(3)]), &sites), "No site that is still there");
    }

    #[test]
    fn nobody_is_invited_as_an_owner() {
        assert_eq!(grantable(Role::Owner), [Role::Admin, Role::Operator, Role::Viewer]);
        assert_eq!(grantable(Role::Admin), grantable(Role::Owner));
        assert!(grantable(Role::Operator).is_empty());
        assert_eq!(choices([Role::Viewer]), [("viewer".to_owned(), "Viewer".to_owned())]);
        for role in Role::ALL {
            let (name, with_article) = (role_name(role).to_lowercase(), a_role(role));
            assert_eq!((name.as_str(), with_article.ends_with(&name)), (role.as_str(), true));
            assert!(!role_words(role).is_empty());
        }
        assert_eq!((people(1).as_str(), people(12).as_str()), ("1 person", "12 people"));
    }
}
