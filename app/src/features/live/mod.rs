//! One event stream a page, and what it says about itself.

mod model;

use clarity_domain::view::{Freshness, live::LiveUpdate};
use leptos::prelude::*;

pub use model::{Link, badge, tone, word};

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
mod stream {
    //! The browser's `EventSource`. It reconnects by itself while the network fails; after an HTTP error it gives up,
    //! and is opened anew here.

    use std::time::Duration;

    use clarity_domain::view::live::LiveUpdate;
    use leptos::prelude::*;
    use wasm_bindgen::prelude::*;
    use web_sys::{EventSource, MessageEvent};

    use super::Link;

    const RETRY: Duration = Duration::from_secs(3);

    struct Stream {
        source: EventSource,
        _handlers: [Closure<dyn FnMut(MessageEvent)>; 4],
    }

    impl Drop for Stream {
        fn drop(&mut self) {
            self.source.close();
        }
    }

    pub fn open(url: String, event: &'static str, link: RwSignal<Link>, on_update: impl Fn(LiveUpdate) + 'static) {
        let held = StoredValue::new_local(None::<Stream>);
        let url = StoredValue::new_local(url);
        let on_update = StoredValue::new_local(on_update);
        let connect = StoredValue::new_local(None::<Box<dyn Fn()>>);
        let again = move || {
            connect.try_with_value(|connect| connect.as_ref().map(|connect| connect()));
        };
        let retry = move || {
            set_timeout(again, RETRY);
        };
        connect.set_value(Some(Box::new(move || {
            let Some(Ok(source)) = url.try_with_value(|url| EventSource::new(url)) else { return };
            let update = Closure::new(move |message: MessageEvent| {
                let parsed = message.data().as_string().map(|text| serde_json::from_str::<LiveUpdate>(&text));
                match parsed {
                    Some(Ok(update)) => {
                        link.try_set(Link::Open);
                        on_update.try_with_value(|on_update| on_update(update));
                    }
                    // A newer server behind an older page: a reload helps, silence would not.
                    _ => {
                        link.try_set(Link::Outdated);
                    }
                }
            });
            let opened = Closure::new(move |_: MessageEvent| {
                link.try_set(Link::Open);
            });
            // Nothing of what is shown stays: whose session ended is led to the sign-in, whose role is another one sees the
            // page as it is for them now.
            let closed = Closure::new(move |_: MessageEvent| {
                link.try_set(Link::Ended);
                drop(window().location().reload());
                held.try_set_value(None);
            });
            let failed = {
                let source = source.clone();
                Closure::new(move |_: MessageEvent| {
                    if link.try_get_untracked() == Some(Link::Ended) {
                        return;
                    }
                    link.try_set(Link::Lost);
                    if source.ready_state() == EventSource::CLOSED {
                        retry();
                    }
                })
            };
            // Adding a listener to a fresh source cannot fail.
            drop(source.add_event_listener_with_callback(event, update.as_ref().unchecked_ref()));
            drop(source.add_event_listener_with_callback("closed", closed.as_ref().unchecked_ref()));
            source.set_onopen(Some(opened.as_ref().unchecked_ref()));
            source.set_onerror(Some(failed.as_ref().unchecked_ref()));
            held.try_set_value(Some(Stream { source, _handlers: [update, opened, closed, failed] }));
        })));
        // After hydration: the page must not change while it is being hydrated.
        set_timeout(again, Duration::ZERO);
        on_cleanup(move || drop(held.try_update_value(Option::take)));
    }
}
