//! Where one can go in a workspace: side bar on a desk, bottom bar on a phone. Only pages that exist are named.

use clarity_domain::{
    role::Permission,
    view::session::{Frame, WorkspaceCard},
};
use leptos::prelude::*;
use leptos_router::hooks::use_location;

use super::theme::ThemeSwitch;
use crate::{
    features::session::SignOutButton,
    paths,
    ui::{
        brand::Brand,
        button::{Button, Kind},
        icon::{Icon, Symbol},
        menu::{Menu, MenuLink, Place},
        number,
    },
};

/// An entry: what it is called, where it goes, which paths are it.
#[derive(Clone, Copy)]
pub struct Entry {
    pub name: &'static str,
    pub symbol: Symbol,
    pub path: fn(&str) -> String,
    /// Its sub-pages count as it.
    with_sub_pages: bool,
    counts_dead_letters: bool,
}

/// For everybody.
pub const ENTRIES: [Entry; 2] = [
    Entry {
        name: "Overview",
        symbol: Symbol::Home,
        path: paths::workspace,
        with_sub_pages: false,
        counts_dead_letters: false,
    },
    Entry {
        name: "Sources",
        symbol: Symbol::Plug,
        path: paths::sources,
        with_sub_pages: true,
        counts_dead_letters: false,
    },
];

/// For those who may change them.
const SETTINGS: Entry = Entry {
    name: "Settings",
    symbol: Symbol::Machine,
    path: paths::settings,
    with_sub_pages: true,
    counts_dead_letters: false,
};

/// For those who manage sources: what came stands in them raw.
const LETTERS: Entry = Entry {
    name: "Dead letters",
    symbol: Symbol::Inbox,
    path: paths::dead_letters,
    with_sub_pages: true,
    counts_dead_letters: true,
};

/// For those who may manage them.
const MEMBERS: Entry = Entry {
    name: "Members",
    symbol: Symbol::People,
    path: paths::members,
    with_sub_pages: true,
    counts_dead_letters: false,
};

/// For those who may change it.
const RETENTION: Entry = Entry {
    name: "Retention",
    symbol: Symbol::Clock,
    path: paths::retention,
    with_sub_pages: true,
    counts_dead_letters: false,
};

/// For those who may change it.
const MASKING: Entry = Entry {
    name: "Masking",
    symbol: Symbol::Eye,
    path: paths::masking,
    with_sub_pages: true,
    counts_dead_letters: false,
};

/// For those who may manage them.
const TOKENS: Entry = Entry {
    name: "API tokens",
    symbol: Symbol::Key,
    path: paths::tokens,
    with_sub_pages: true,
    counts_dead_letters: false,
};

/// For owners.
const SSO: Entry = Entry {
    name: "Single sign-on",
    symbol: Symbol::Key,
    path: paths::sso,
    with_sub_pages: true,
    counts_dead_letters: false,
};

/// For those who may read it.
const AUDIT: Entry = Entry {
    name: "Audit",
    symbol: Symbol::Shield,
    path: paths::audit,
    with_sub_pages: true,
    counts_dead_letters: false,
};

/// For those who pay.
const USAGE: Entry = Entry {
    name: "Plan and usage",
    symbol: Symbol::Gauge,
    path: paths::usage,
    with_sub_pages: true,
    counts_dead_letters: false,
};

/// For those who may see who of the platform's support asked.
const SUPPORT: Entry = Entry {
    name: "Support access",
    symbol: Symbol::Screen,
    path: paths::support,
    with_sub_pages: true,
    counts_dead_letters: false,
};

/// The page of the dead letters, for those who may read them: an unread frame names nothing.
fn letters(frame: Option<&Frame>) -> Option<Entry> {
    frame.filter(|frame| frame.workspace.role.may(Permission::ManageSources)).map(|_| LETTERS)
}

/// The pages that are not everybody's, for this viewer: an unread frame names nothing.
fn administration(frame: Option<&Frame>) -> Vec<Entry> {
    let may = |permission| frame.is_some_and(|frame| frame.workspace.role.may(permission));
    let all = [
        (SETTINGS, Permission::ManageSources),
        (MEMBERS, Permission::ManageMembers),
        (TOKENS, Permission::ManageTokens),
        (RETENTION, Permission::ManageRetention),
        (MASKING, Permission::ManageMasking),
        (SSO, Permission::OwnWorkspace),
        (AUDIT, Permission::ReadAudit),
        (SUPPORT, Permission::ReadSupport),
        (USAGE, Permission::OwnWorkspace),
    ];
    all.into_iter().filter(|(_, permission)| may(*permission)).map(|(entry, _)| entry).collect()
}

impl Entry {
    fn is_at(&self, slug: &str, path: &str) -> bool {
        let own = (self.path)(slug);
        let path = path.trim_end_matches('/');
        path == own || (self.with_sub_pages && path.strip_prefix(&own).is_some_and(|rest| rest.starts_with('/')))
    }
}

/// One entry as a link; `phone` draws it as a tab.
#[component]
fn EntryLink(
    entry: Entry,
    slug: String,
    #[prop(optional)] dead_letters: u64,
    #[prop(optional)] phone: bool,
) -> impl IntoView {
    let location = use_location();
    let href = (entry.path)(&slug);
    let current = move || location.pathname.with(|path| entry.is_at(&slug, path)).then_some("page");
    let count = (entry.counts_dead_letters && dead_letters > 0).then(|| {
        view! { <b class="cs-nav__count">{number::whole(dead_letters)}<span class="cs-visually-hidden">" letters"</span></b> }
    });
    view! {
        <a class=if phone { "cs-tabs__tab" } else { "cs-nav__link" } href=href aria-current=current>
            <Icon symbol=entry.symbol/>
            {entry.name}
            {count}
        </a>
    }
}

#[component]
pub fn SideBar(slug: String, frame: Option<Frame>) -> impl IntoView {
    let dead_letters = frame.as_ref().and_then(|frame| frame.dead_letters).unwrap_or_default();
    let [overview, sources] = ENTRIES;
    let letters = letters(frame.as_ref()).map(|entry| view! { <EntryLink entry slug=slug.clone() dead_letters/> });
    let person = frame.as_ref().map(|frame| frame.user.clone());
    let administration = administration(frame.as_ref());
    let administration = (!administration.is_empty()).then(|| {
        let links =
            administration.into_iter().map(|entry| view! { <EntryLink entry slug=slug.clone()/> }).collect_view();
        view! {
            <h2 class="cs-nav__heading">"Administration"</h2>
            {links}
        }
    });
    view! {
        <aside class="cs-side">
            <Brand href=paths::workspace(&slug)/>
            <WorkspaceCardButton frame/>
            <nav class="cs-nav" aria-label="Workspace">
                <EntryLink entry=overview slug=slug.clone()/>
                <h2 class="cs-nav__heading">"Data"</h2>
                <EntryLink entry=sources slug=slug.clone()/>
                {letters}
                {administration}
            </nav>
            <div class="cs-side__foot">
                <ThemeSwitch/>
                {person.map(|person| view! {
                    <div class="cs-person">
                        <a class="cs-person__name" href=paths::sessions(&slug) title="Your sessions">{person.name}<small>{person.email}</small></a>
                        <SignOutButton/>
                    </div>
                })}
            </div>
        </aside>
    }
}

/// The workspace one is in; a menu of the others when there are any.
#[component]
fn WorkspaceCardButton(frame: Option<Frame>) -> impl IntoView {
    let Some(frame) = frame else {
        return view! { <div class="cs-workspace"><span class="cs-skeleton" data-shape="line"></span></div> }
            .into_any();
    };
    let WorkspaceCard { name, slug, .. } = frame.workspace;
    let initial: String = name.chars().next().map(|c| c.to_uppercase().collect()).unwrap_or_default();
    let words = format!("{}, {}", counted(frame.sites, "site"), counted(frame.assets, "asset"));
    let content = view! {
        <i class="cs-workspace__initial" aria-hidden="true">{initial}</i>
        <span class="cs-workspace__name">{name}<small>{words}</small></span>
    };
    let links = frame
        .workspaces
        .into_iter()
        .map(|other| view! { <MenuLink href=paths::workspace(&other.slug) current=other.slug == slug>{other.name}<small>{other.role.as_str()}</small></MenuLink> })
        .collect_view();
    view! {
        <button class="cs-workspace" type="button" popovertarget="cs-workspaces">{content}<Icon symbol=Symbol::Chevron/></button>
        <Menu id="cs-workspaces" label="Workspaces" place=Place::Side>
            {links}
            <MenuLink href=paths::NEW_WORKSPACE>"New workspace"</MenuLink>
        </Menu>
    }
    .into_any()
}

fn counted(count: u32, noun: &str) -> String {
    format!("{} {noun}{}", number::whole(count.into()), if count == 1 { "" } else { "s" })
}

/// The bottom bar of a phone; what has no room is in its menu.
#[component]
pub fn TabBar(slug: String, frame: Option<Frame>) -> impl IntoView {
    let dead_letters = frame.as_ref().and_then(|frame| frame.dead_letters).unwrap_or_default();
    let workspaces = frame.as_ref().map(|frame| frame.workspaces.clone()).unwrap_or_default();
    let others = (workspaces.len() > 1).then(|| {
        workspaces
            .into_iter()
            .map(|other| view! { <MenuLink href=paths::workspace(&other.slug) current=other.slug == slug>{other.name}</MenuLink> })
            .collect_view()
    });
    let administration = administration(frame.as_ref())
        .into_iter()
        .map(|entry| {
            let href = (entry.path)(&slug);
            view! { <MenuLink href>{entry.name}</MenuLink> }
        })
        .collect_view();
    let tabs = ENTRIES
        .into_iter()
        .chain(letters(frame.as_ref()))
        .map(|entry| view! { <EntryLink entry slug=slug.clone() dead_letters phone=true/> })
        .collect_view();
    view! {
        <nav class="cs-tabs" aria-label="Workspace, phone">
            {tabs}
            <button class="cs-tabs__tab" type="button" popovertarget="cs-more"><Icon symbol=Symbol::Menu/>"More"</button>
        </nav>
        <Menu id="cs-more" label="More" place=Place::Sheet>
            <div class="cs-stack">
                {frame.map(|frame| view! { <p><b>{frame.workspace.name}</b><br/><span class="cs-quiet">{frame.user.email}</span></p> })}
                {administration}
                {others}
                <MenuLink href=paths::NEW_WORKSPACE>"New workspace"</MenuLink>
                <MenuLink href=paths::sessions(&slug)>"Your sessions"</MenuLink>
                <ThemeSwitch/>
                <div class="cs-row">
                    <SignOutButton words=true/>
                    <Button kind=Kind::Quiet attr:popovertarget="cs-more">"Close"</Button>
                </div>
            </div>
        </Menu>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clarity_domain::{
        ids::{UserId, WorkspaceId},
        role::Role,
        view::session::UserCard,
    };
    use uuid::Uuid;

    #[test]
    fn the_entry_one_is_at_is_marked_and_no_other() {
        let at = |path: &str| {
            ENTRIES.iter().filter(|entry| entry.is_at("a", path)).map(|entry| entry.name).collect::<Vec<_>>()
        };
        assert_eq!(at("/w/a"), ["Overview"]);
        assert_eq!(at("/w/a/"), ["Overview"]);
        assert_eq!(at("/w/a/sources/connect"), ["Sources"]);
        assert_eq!(at("/w/a/sourcesx"), [""; 0]);
        assert_eq!(at("/w/b"), [""; 0]);
        assert_eq!(counted(1, "site"), "1 site");
    }

    #[test]
    fn administration_is_named_to_those_who_may() {
        let names = |role| {
            let workspace = WorkspaceCard { id: WorkspaceId(Uuid::nil()), slug: "a".into(), name: "A".into(), role };
            let user = UserCard { id: UserId(Uuid::nil()), name: "Maja".into(), email: "maja@n.example".into() };
            let frame = Frame {
                user,
                workspace,
                workspaces: Vec::new(),
                sites: 0,
                assets: 0,
                sources: 0,
                dead_letters: None,
                deleted_at: None,
                notices: Vec::new(),
                support: Vec::new(),
                limited_to: None,
            };
            letters(Some(&frame))
                .into_iter()
                .chain(administration(Some(&frame)))
                .map(|entry| entry.name)
                .collect::<Vec<_>>()
        };
        assert_eq!(
            names(Role::Admin),
            ["Dead letters", "Settings", "Members", "API tokens", "Retention", "Masking", "Audit", "Support access"]
        );
        assert!(names(Role::Owner).contains(&"Plan and usage"));
        assert!(names(Role::Owner).contains(&"Single sign-on"));
        assert_eq!(names(Role::Operator), [""; 0]);
        assert!(administration(None).is_empty() && letters(None).is_none());
    }
}
