//! Ctrl/Cmd K: jump to a page, an asset or a source by name.

use clarity_domain::view::search::{SearchHit, SearchTarget};
use leptos::{html, prelude::*};
use leptos_router::hooks::use_navigate;

use super::{nav::ENTRIES, overlays::Overlays};
use crate::{
    features::search::search,
    paths,
    ui::{
        dialog::Dialog,
        icon::{Icon, Symbol},
    },
};

/// Something to jump to.
#[derive(Clone, Debug, PartialEq)]
struct Hit {
    symbol: Symbol,
    name: String,
    detail: String,
    href: String,
}

#[component]
pub fn Palette(slug: Memo<String>) -> impl IntoView {
    let open = expect_context::<Overlays>().palette;
    let text = RwSignal::new(String::new());
    let at = RwSignal::new(0_usize);
    let input = NodeRef::<html::Input>::new();
    // Asked for only while the palette is open: the server is left alone otherwise.
    let found = LocalResource::new(move || {
        let (slug, text, open) = (slug.get(), text.get(), open.get());
        async move {
            if open && !text.trim().is_empty() { search(slug, text).await.unwrap_or_default() } else { Vec::new() }
        }
    });
    let hits = Memo::new(move |_| {
        let slug = slug.get();
        let mut hits = pages(&slug, &text.get());
        hits.extend(found.get().unwrap_or_default().into_iter().map(|hit| placed(&slug, hit)));
        hits
    });
    let navigate = use_navigate();
    let go = Callback::new(move |href: String| {
        open.set(false);
        text.set(String::new());
        at.set(0);
        navigate(&href, Default::default());
    });
    let keys = move |event: leptos::ev::KeyboardEvent| {
        let count = hits.with(Vec::len);
        match event.key().as_str() {
            "ArrowDown" if count > 0 => at.update(|at| *at = (*at + 1) % count),
            "ArrowUp" if count > 0 => at.update(|at| *at = (*at + count - 1) % count),
            "Enter" => {
                if let Some(hit) = hits.with(|hits| hits.get(at.get()).cloned()) {
                    go.run(hit.href);
                }
            }
            _ => return,
        }
        event.prevent_default();
    };
    let option = move |(number, hit): (usize, Hit)| {
        let href = hit.href.clone();
        view! {
            <li
                class="cs-palette__hit"
                role="option"
                id=format!("cs-hit-{number}")
                aria-selected=move || (at.get() == number).to_string()
                on:click=move |_| go.run(href.clone())
                on:pointermove=move |_| if at.get_untracked() != number { at.set(number) }
            >
                <Icon symbol=hit.symbol/>
                <b>{hit.name}</b>
                <small>{hit.detail}</small>
            </li>
        }
    };
    view! {
        <Dialog open title="Search or jump to" bare=true class="cs-dialog cs-palette">
            <input
                class="cs-palette__input"
                node_ref=input
                type="text"
                placeholder="Search or jump to"
                aria-label="Search or jump to"
                role="combobox"
                aria-expanded="true"
                aria-controls="cs-hits"
                aria-activedescendant=move || format!("cs-hit-{}", at.get())
                autocomplete="off"
                autofocus
                prop:value=text
                on:input=move |event| {
                    at.set(0);
                    text.set(event_target_value(&event));
                }
                on:keydown=keys
            />
            <ul class="cs-palette__list" id="cs-hits" role="listbox" aria-label="Results">
                {move || hits.get().into_iter().enumerate().map(option).collect_view()}
            </ul>
            <p class="cs-palette__none" role="status" hidden=move || !hits.with(Vec::is_empty)>"Nothing by that name"</p>
        </Dialog>
    }
}

/// Pages whose name has the text.
fn pages(slug: &str, text: &str) -> Vec<Hit> {
    let text = text.trim().to_lowercase();
    let page = |symbol, name: &str, href| Hit { symbol, name: name.to_owned(), detail: "Page".into(), href };
    let mut pages: Vec<Hit> = ENTRIES.iter().map(|entry| page(entry.symbol, entry.name, (entry.path)(slug))).collect();
    pages.push(page(Symbol::Plus, "Connect a source", paths::connect(slug)));
    pages.retain(|hit| hit.name.to_lowercase().contains(&text));
    pages
}

fn placed(slug: &str, hit: SearchHit) -> Hit {
    let (symbol, href, kind) = match hit.target {
        SearchTarget::Asset(id) => (Symbol::Machine, paths::asset(slug, id), "Asset"),
        SearchTarget::Source(id) => (Symbol::Plug, paths::source(slug, id), "Source"),
        SearchTarget::DeadLetters => (Symbol::Inbox, paths::dead_letters(slug), "Page"),
        SearchTarget::Members => (Symbol::People, paths::members(slug), "Page"),
        SearchTarget::Tokens => (Symbol::Key, paths::tokens(slug), "Page"),
        SearchTarget::SetUp => (Symbol::Check, paths::set_up(slug), "Page"),
        SearchTarget::Audit => (Symbol::Shield, paths::audit(slug), "Page"),
        SearchTarget::Retention => (Symbol::Clock, paths::retention(slug), "Page"),
        SearchTarget::Masking => (Symbol::Eye, paths::masking(slug), "Page"),
        SearchTarget::Sso => (Symbol::Key, paths::sso(slug), "Page"),
        SearchTarget::Support => (Symbol::Screen, paths::support(slug), "Page"),
        SearchTarget::Usage => (Symbol::Gauge, paths::usage(slug), "Page"),
    };
    Hit { symbol, name: hit.name, detail: hit.detail.unwrap_or_else(|| kind.into()), href }
}

#[cfg(test)]
mod tests {
    use super::pages;

    #[test]
    fn pages_are_found_by_a_part_of_their_name() {
        assert_eq!(pages("a", "").len(), 3);
        let names: Vec<String> = pages("a", " SOUR ").into_iter().map(|hit| hit.name).collect();
        assert_eq!(names, ["Sources", "Connect a source"]);
        assert!(pages("a", "zzz").is_empty());
    }
}
