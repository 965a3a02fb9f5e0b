//! System, light or dark. A small script in the head applies the choice before the first paint (see `shell`); this
//! only stores it and tells that script.

use leptos::prelude::*;

use crate::ui::icon::{Icon, Symbol};

/// The choice of this browser, shared by every switch on the page. Provided by the app.
#[derive(Clone, Copy)]
pub struct Theme(RwSignal<&'static str>);

const CHOICES: [(&str, &str, Symbol); 3] =
    [("system", "As the system", Symbol::Screen), ("light", "Light", Symbol::Sun), ("dark", "Dark", Symbol::Moon)];

impl Theme {
    pub fn provide() {
        let theme = Self(RwSignal::new("system"));
        // After hydration: the server does not know what is stored here.
        #[cfg(feature = "hydrate")]
        {
            let read = move || {
                theme.0.try_set(stored());
            };
            set_timeout(read, std::time::Duration::ZERO);
        }
        provide_context(theme);
    }

    fn choose(self, choice: &'static str) {
        self.0.set(choice);
        #[cfg(feature = "hydrate")]
        store(choice);
    }
}

#[cfg(feature = "hydrate")]
fn stored() -> &'static str {
    let stored =
        window().local_storage().ok().flatten().and_then(|storage| storage.get_item("cs-theme").ok().flatten());
    CHOICES.iter().map(|(key, ..)| *key).find(|key| Some(*key) == stored.as_deref()).unwrap_or("system")
}

#[cfg(feature = "hydrate")]
fn store(choice: &str) {
    if let Ok(Some(storage)) = window().local_storage() {
        // A full or forbidden storage only means that the choice is not kept.
        drop(storage.set_item("cs-theme", choice));
    }
    if let Ok(event) = web_sys::CustomEvent::new("cs-theme") {
        drop(window().dispatch_event(&event));
    }
}

#[component]
pub fn ThemeSwitch() -> impl IntoView {
    let theme: Theme = expect_context();
    let choice = move |(key, words, symbol): (&'static str, &'static str, Symbol)| {
        view! {
            <button
                class="cs-theme__choice"
                type="button"
                title=words
                aria-label=words
                aria-pressed=move || (theme.0.get() == key).to_string()
                on:click=move |_| theme.choose(key)
            >
                <Icon symbol/>
            </button>
        }
    };
    view! { <div class="cs-theme" role="group" aria-label="Colours">{CHOICES.into_iter().map(choice).collect_view()}</div> }
}
