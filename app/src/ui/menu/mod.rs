//! A menu as a popover: opens without script, closes with Esc and a click outside, gives focus back.

use leptos::prelude::*;

/// Where a menu opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Under the end of the top bar.
    TopEnd,
    /// Beside the workspace's card.
    Side,
    /// From the lower edge, on a phone.
    Sheet,
}

/// The content of a menu; a button with `attr:popovertarget=id` opens it.
#[component]
pub fn Menu(id: &'static str, #[prop(into)] label: String, place: Place, children: Children) -> impl IntoView {
    let place = match place {
        Place::TopEnd => "top-end",
        Place::Side => "side",
        Place::Sheet => "sheet",
    };
    // A link inside navigates without a reload, so the menu has to be closed by hand.
    let chosen = move |event: leptos::ev::MouseEvent| hide_when_link(&event);
    view! {
        <div class="cs-menu" id=id popover="auto" data-place=place role="group" aria-label=label on:click=chosen>
            {children()}
        </div>
    }
}

#[cfg(feature = "hydrate")]
fn hide_when_link(event: &leptos::ev::MouseEvent) {
    use wasm_bindgen::JsCast;
    let on_link = event
        .target()
        .and_then(|target| target.dyn_into::<web_sys::Element>().ok())
        .and_then(|element| element.closest("a").ok().flatten())
        .is_some();
    let menu = event.current_target().and_then(|target| target.dyn_into::<web_sys::HtmlElement>().ok());
    if let (true, Some(menu)) = (on_link, menu) {
        // Already hidden is as good.
        drop(menu.hide_popover());
    }
}

#[cfg(not(feature = "hydrate"))]
fn hide_when_link(_: &leptos::ev::MouseEvent) {}

#[component]
pub fn MenuLink(#[prop(into)] href: String, #[prop(optional)] current: bool, children: Children) -> impl IntoView {
    view! {
        <a class="cs-menu__item" href=href aria-current=current.then_some("true")>
            {children()}
        </a>
    }
}
