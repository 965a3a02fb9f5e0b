//! The browser's `EventSource`. It reconnects by itself while the network fails; after an HTTP error it gives up, and does not say
//! which one it was. So the server is asked whether the visitor still has their seat: without one the page is loaded anew, with
//! one the stream is opened anew, after a pause that grows.

use std::time::Duration;

use clarity_domain::view::live::LiveUpdate;
use leptos::{prelude::*, task::spawn_local};
use wasm_bindgen::prelude::*;
use web_sys::{EventSource, MessageEvent};

use super::{Link, model};
use crate::{layout::still_in, paths};

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
    // How often in a row it was refused.
    let times = StoredValue::new_local(0_u32);
    let again = move || {
        connect.try_with_value(|connect| connect.as_ref().map(|connect| connect()));
    };
    // Nothing of what is shown stays: whose session ended is led to the sign-in, whose role is another one sees the page as it
    // is for them now.
    let end = move || {
        link.try_set(Link::Ended);
        still_in::load_anew();
        held.try_set_value(None);
    };
    let refused = move || {
        let Some(slug) = url.try_with_value(|url| paths::slug_of(url).unwrap_or_default().to_owned()) else { return };
        spawn_local(async move {
            let why = still_in::why_not(slug).await;
            // The page may be gone meanwhile.
            let Some(before) = times.try_get_value() else { return };
            if why.is_some_and(model::is_shut_out) {
                return end();
            }
            times.try_set_value(before.saturating_add(1));
            set_timeout(again, model::pause(before, js_sys::Math::random()));
        });
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
            times.try_set_value(0);
        });
        let closed = Closure::new(move |_: MessageEvent| end());
        let failed = {
            let source = source.clone();
            Closure::new(move |_: MessageEvent| {
                if link.try_get_untracked() == Some(Link::Ended) {
                    return;
                }
                link.try_set(Link::Lost);
                if source.ready_state() == EventSource::CLOSED {
                    refused();
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
