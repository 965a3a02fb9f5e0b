//! Short news in the corner, read out politely; it leaves by itself.

use leptos::prelude::*;

/// Where news is left. Provided by the app.
#[derive(Clone, Copy)]
pub struct Toaster(RwSignal<Vec<(u32, String)>>);

impl Toaster {
    pub fn provide() {
        provide_context(Self(RwSignal::new(Vec::new())));
    }

    pub fn say(self, text: impl Into<String>) {
        let text = text.into();
        let Some(id) = self.0.try_update(|all| {
            let id = all.last().map_or(0, |(id, _)| id.wrapping_add(1));
            all.push((id, text));
            id
        }) else {
            return;
        };
        let leave = move || {
            self.0.try_update(|all| all.retain(|(other, _)| *other != id));
        };
        set_timeout(leave, std::time::Duration::from_secs(6));
    }
}

#[component]
pub fn Toasts() -> impl IntoView {
    let Toaster(all) = expect_context();
    view! {
        <div class="cs-toasts" role="status" aria-live="polite">
            <For each=move || all.get() key=|(id, _)| *id let:toast>
                <p class="cs-toast">{toast.1}</p>
            </For>
        </div>
    }
}
