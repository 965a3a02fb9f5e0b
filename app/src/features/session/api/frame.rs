//! What the frame around a workspace page shows.

use leptos::prelude::*;
use server_fn::codec::GetUrl;

use crate::{error::PageError, layout::notes::Framed, wire::Wire};

#[server(name = ReadFrame, endpoint = "session/frame", input = GetUrl)]
pub async fn frame(slug: String) -> Result<Wire<Framed>, PageError> {
    use crate::layout::notes::words;
    use crate::server::{enter, page_error, visitor};
    let (services, seat) = enter(&slug).await.map_err(page_error)?;
    let frame = services.frame(&visitor(), &seat).await.map_err(page_error)?;
    let support = frame.support.iter().map(|one| one.id).collect();
    Ok(Wire(Framed { notes: words::of(&frame), frame, support }))
}
