//! Over every page of a workspace while somebody of support may read it; owners end it there. A form of the browser's own: it
//! works without script, and what follows is loaded anew.

use clarity_domain::view::support::SupportNow;
use leptos::{prelude::*, server_fn::ServerFn};

use super::api::EndSupport;
use crate::ui::{
    button::Button,
    icon::{Icon, Symbol},
    time::{Clock, Detail, Time},
};

#[component]
pub fn SupportBanner(slug: String, now: Vec<SupportNow>) -> impl IntoView {
    now.into_iter().map(|one| view! { <Line slug=slug.clone() one/> }).collect_view()
}

#[component]
fn Line(slug: String, one: SupportNow) -> impl IntoView {
    let SupportNow { id, name, ends_at, may_end } = one;
    let clock: Clock = expect_context();
    let over = Memo::new(move |_| clock.now().is_some_and(|now| now >= ends_at));
    let end = may_end.then(|| {
        view! {
            <form method="post" action=EndSupport::url()>
                <input type="hidden" name="slug" value=slug/>
                <input type="hidden" name="id" value=id.to_string()/>
                <Button submit=true>"End now"</Button>
            </form>
        }
    });
    view! {
        <div class="cs-support-bar" role="note" hidden=move || over.get()>
            <Icon symbol=Symbol::Shield/>
            <p><b>{name}</b>" of Clarity Stream may read how your agents and sources are, until " <Time at=Some(ends_at) detail=Detail::Minute/> "."</p>
            {end}
        </div>
    }
}
