//! A native modal dialog: the browser keeps focus inside, Esc closes it, and focus goes back where it was.

use leptos::{html, prelude::*};

use super::{
    button::{Button, Kind},
    icon::{Icon, Symbol},
};

#[component]
pub fn Dialog(
    open: RwSignal<bool>,
    /// Names the dialog; shown as its head unless `bare`.
    #[prop(into)]
    title: String,
    #[prop(optional)] bare: bool,
    #[prop(default = "cs-dialog")] class: &'static str,
    children: Children,
) -> impl IntoView {
    let node = NodeRef::<html::Dialog>::new();
    #[cfg(feature = "hydrate")]
    Effect::new(move |_| {
        let Some(dialog) = node.get() else { return };
        match (open.get(), dialog.open()) {
            // A dialog that is not in the document cannot be shown: nothing to do about it here.
            (true, false) => drop(dialog.show_modal()),
            (false, true) => dialog.close(),
            _ => {}
        }
    });
    // A click on the dialog element itself is a click on its backdrop: its content lies in children.
    let backdrop = move |event: leptos::ev::MouseEvent| {
        if event.target() == event.current_target() {
            open.set(false);
        }
    };
    let label = title.clone();
    view! {
        <dialog node_ref=node class=class aria-label=label on:close=move |_| open.set(false) on:click=backdrop>
            {(!bare)
                .then(|| {
                    view! {
                        <header class="cs-dialog__head">
                            <h2>{title}</h2>
                            <Button kind=Kind::Quiet icon=true attr:aria-label="Close" on:click=move |_| open.set(false)>
                                <Icon symbol=Symbol::Close/>
                            </Button>
                        </header>
                    }
                })}
            {children()}
        </dialog>
    }
}
