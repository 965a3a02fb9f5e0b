//! One event stream a page, and what it says about itself.

mod model;

use clarity_domain::view::{Freshness, live::LiveUpdate};
use leptos::prelude::*;

pub use model::{Link, badge, of_frame, tone, word};

#[cfg(feature = "hydrate")]
use crate::layout::frame::Heard;
use crate::ui::truth::TruthBadge;

/// Opens the stream at `url` when the page is in the browser, and closes it with the page. `event` is the name the
/// page listens to. What it says of the frame goes to the frame.
pub fn follow(url: String, event: &'static str, on_update: impl Fn(LiveUpdate) + 'static) -> Signal<Link> {
    let link = RwSignal::new(Link::Opening);
    #[cfg(feature = "hydrate")]
    {
        let heard = use_context::<Heard>();
        stream::open(url, event, link, move |mut update: LiveUpdate| {
            if let (Some(heard), Some(live)) = (heard, update.support.take()) {
                heard.say(live);
            }
            on_update(update);
        });
    }
    #[cfg(not(feature = "hydrate"))]
    let _ = (url, event, on_update);
    link.into()
}

/// The truth word of a page: what the data says, unless the stream to us is what fails.
#[component]
pub fn LiveBadge(#[prop(into)] freshness: Signal<Freshness>, link: Signal<Link>) -> impl IntoView {
    let said = Memo::new(move |_| freshness.with(|freshness| badge(freshness, link.get())));
    view! {
        <TruthBadge
            tone=Signal::derive(move || said.get().0)
            word=Signal::derive(move || said.get().1.to_owned())
            why=Signal::derive(move || said.get().2)
        />
    }
}

#[cfg(feature = "hydrate")]
mod stream;
