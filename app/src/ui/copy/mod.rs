//! Code with a button that copies it, and says that it did.

use leptos::prelude::*;

use super::button::Button;

#[component]
pub fn CopyCode(
    #[prop(into)] code: String,
    /// What is copied, for the button's name: "the install command".
    #[prop(into)]
    what: String,
) -> impl IntoView {
    let copied = RwSignal::new(None::<bool>);
    let text = StoredValue::new(code.clone());
    let words = move || match copied.get() {
        None => "Copy",
        Some(true) => "Copied",
        Some(false) => "Select it",
    };
    view! {
        <div class="cs-code">
            <pre tabindex="0"><code>{code}</code></pre>
            <Button attr:aria-label=move || format!("{} {what}", words()) on:click=move |_| write(text.get_value(), copied)>
                {words}
            </Button>
            <span class="cs-visually-hidden" role="status">{move || if copied.get() == Some(true) { "Copied to the clipboard" } else { "" }}</span>
        </div>
    }
}

#[cfg(feature = "hydrate")]
fn write(text: String, copied: RwSignal<Option<bool>>) {
    use leptos::task::spawn_local;
    // The clipboard exists on secure origins only; elsewhere the text can be selected.
    let clipboard = js_sys::Reflect::get(&window().navigator(), &"clipboard".into()).ok().filter(|c| !c.is_undefined());
    if clipboard.is_none() {
        copied.set(Some(false));
        return;
    }
    let promise = window().navigator().clipboard().write_text(&text);
    spawn_local(async move {
        let done = wasm_bindgen_futures::JsFuture::from(promise).await.is_ok();
        copied.try_set(Some(done));
        let forget = move || {
            copied.try_set(None);
        };
        set_timeout(forget, std::time::Duration::from_secs(2));
    });
}

#[cfg(not(feature = "hydrate"))]
fn write(_: String, _: RwSignal<Option<bool>>) {}
