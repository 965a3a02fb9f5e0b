//! `GET /w/{slug}/live`: the event stream of one open page.
//!
//! Session and membership are looked at when it opens and every four seconds after: whoever signs out, or loses the
//! seat, is sent `closed` and nothing more. A page that follows its frame alone does not keep its session in use.

use std::convert::Infallible;
use std::time::Duration;

use axum::Extension;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderName, HeaderValue};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use clarity_domain::error::AppError;
use clarity_runtime::clock::now_us;
use clarity_service::live::LivePage;
use clarity_service::{Client, OpenStream, Seat, Visitor};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, interval_at};
use tokio_stream::wrappers::ReceiverStream;

use super::query::LiveQuery;
use crate::middleware::RequestId;
use crate::problem::Problem;
use crate::state::AppState;

/// How often rights are looked at again.
const RECHECK: Duration = Duration::from_secs(4);
/// Nothing to say for so long: a comment, so that both ends know that the connection lives.
const HEARTBEAT: Duration = Duration::from_secs(10);
/// When the browser tries again after a break.
const RETRY: Duration = Duration::from_secs(2);
/// A reader that takes nothing for so long is given up; it can connect again.
const STALLED: Duration = Duration::from_secs(10);

pub async fn stream(
    State(state): State<AppState>,
    Extension(visitor): Extension<Visitor>,
    Extension(client): Extension<Client>,
    Extension(request_id): Extension<RequestId>,
    Path(slug): Path<String>,
    Query(query): Query<LiveQuery>,
) -> Response {
    match open(&state, &visitor, &client, &slug, query).await {
        Ok((seat, page, place)) => {
            let (sender, receiver) = mpsc::channel(4);
            tokio::spawn(async move { Connection { state, seat, page, sender, _place: place }.run().await });
            let mut response = Sse::new(ReceiverStream::new(receiver)).into_response();
            // Reverse proxies would keep events back.
            let name = HeaderName::from_static("x-accel-buffering");
            response.headers_mut().insert(name, HeaderValue::from_static("no"));
            response
        }
        Err(error) => Problem { error, request_id: Some(request_id) }.into_response(),
    }
}

async fn open(
    state: &AppState,
    visitor: &Visitor,
    client: &Client,
    slug: &str,
    query: LiveQuery,
) -> Result<(Seat, LivePage, OpenStream), AppError> {
    let seat = state.services.enter(visitor, slug, client).await?;
    let page = query.page()?;
    let place = state.services.open_stream(&seat)?;
    Ok((seat, page, place))
}

struct Connection {
    state: AppState,
    seat: Seat,
    page: LivePage,
    sender: mpsc::Sender<Result<Event, Infallible>>,
    /// One of those that the person may have open, until this ends.
    _place: OpenStream,
}

impl Connection {
    /// Until the reader goes away, the rights are lost or the process is to end.
    async fn run(self) {
        let name = self.page.event();
        let mut followed = self.state.hub.follow(&self.seat, self.page.clone());
        let mut recheck = interval_at(Instant::now() + RECHECK, RECHECK);
        recheck.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut heartbeat = interval(HEARTBEAT);
        loop {
            let event = tokio::select! {
                () = self.state.shutdown.cancelled() => return,
                () = self.sender.closed() => return,
                _ = recheck.tick() => {
                    match self.state.services.is_seated(&self.seat, self.page != LivePage::Frame).await {
                        Ok(true) => continue,
                        Ok(false) => {
                            self.send(Event::default().event("closed").data("{}")).await;
                            return;
                        }
                        // Not knowing is not a yes; the browser comes back when the database does.
                        Err(_) => return,
                    }
                }
                _ = heartbeat.tick() => Event::default().retry(RETRY).comment(format!("as_of {}", now_us())),
                message = followed.next() => match message {
                    Some(message) => Event::default().event(name).data(&*message),
                    None => return,
                },
            };
            if !self.send(event).await {
                return;
            }
        }
    }

    async fn send(&self, event: Event) -> bool {
        self.sender.send_timeout(Ok(event), STALLED).await.is_ok()
    }
}
