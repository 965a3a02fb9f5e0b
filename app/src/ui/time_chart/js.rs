//! The browser's side: loads the chart bundle once, draws, redraws, disposes.

use clarity_domain::view::Micros;
use leptos::{html, prelude::*, task::spawn_local};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use super::Lines;

#[wasm_bindgen]
extern "C" {
    /// `frontend/js/charts.js`.
    type Charts;
    #[wasm_bindgen(method)]
    fn create(this: &Charts, element: &web_sys::Element, on_zoom: &js_sys::Function) -> Handle;

    #[derive(Clone)]
    type Handle;
    #[wasm_bindgen(method)]
    fn frame(this: &Handle, names: Vec<String>, unit: &str);
    #[wasm_bindgen(method)]
    fn data(this: &Handle, from_ms: f64, step_ms: f64, count: u32, values: js_sys::Float64Array);
    #[wasm_bindgen(method)]
    fn dispose(this: &Handle);
}

/// The bundle, from the URL that the shell wrote into the page.
async fn bundle() -> Result<Charts, JsValue> {
    let url = document()
        .query_selector("meta[name='cs-charts']")?
        .and_then(|meta| meta.get_attribute("content"))
        .ok_or_else(|| JsValue::from_str("the page names no chart bundle"))?;
    Ok(JsFuture::from(import(&url)?).await?.unchecked_into())
}

/// A dynamic import: the shell defines it as a function, since the policy of the page forbids `eval`.
fn import(url: &str) -> Result<js_sys::Promise, JsValue> {
    let import: js_sys::Function = js_sys::Reflect::get(&window(), &"csImport".into())?.dyn_into()?;
    import.call1(&JsValue::NULL, &url.into())?.dyn_into()
}

struct Mounted {
    handle: Handle,
    _on_zoom: Closure<dyn Fn(f64, f64)>,
}

pub fn mount(
    node: NodeRef<html::Div>,
    lines: Signal<Lines>,
    drawn: RwSignal<bool>,
    on_zoom: Callback<(Micros, Micros)>,
) {
    let mounted = StoredValue::new_local(None::<Mounted>);
    // Names and unit: a change of them redraws all, a new value only the lines.
    let frame = Memo::new(move |_| {
        lines.with(|lines| (lines.unit.clone(), lines.series.iter().map(|line| line.name.clone()).collect::<Vec<_>>()))
    });
    let draw_frame = move |handle: &Handle| {
        lines.with_untracked(|lines| {
            handle.frame(lines.series.iter().map(|line| line.name.clone()).collect(), &lines.unit);
        });
    };
    let draw_data = move |handle: &Handle| {
        lines.with_untracked(|lines| {
            let values = js_sys::Float64Array::from(lines.flat().as_slice());
            handle.data(lines.from as f64 / 1000.0, lines.step_us as f64 / 1000.0, lines.len() as u32, values);
        });
    };
    Effect::new(move |before: Option<bool>| {
        let Some(element) = node.get() else { return false };
        if before == Some(true) {
            return true;
        }
        spawn_local(async move {
            let charts = match bundle().await {
                Ok(charts) => charts,
                Err(error) => {
                    leptos::logging::warn!("the chart bundle did not load; the still picture stays: {error:?}");
                    return;
                }
            };
            let zoom = Closure::<dyn Fn(f64, f64)>::new(move |from: f64, to: f64| {
                on_zoom.run(((from * 1000.0) as i64, (to * 1000.0) as i64));
            });
            let mount = || {
                let handle = charts.create(&element, zoom.as_ref().unchecked_ref());
                draw_frame(&handle);
                draw_data(&handle);
                handle
            };
            // The page may have been left meanwhile: then its signals are gone, and there is nothing to draw into.
            if mounted.try_with_value(|_| ()).is_some() {
                let handle = mount();
                mounted.try_set_value(Some(Mounted { handle, _on_zoom: zoom }));
                drawn.try_set(true);
            }
        });
        true
    });
    Effect::new(move |_| {
        frame.track();
        mounted.with_value(|mounted| {
            if let Some(mounted) = mounted {
                draw_frame(&mounted.handle);
                draw_data(&mounted.handle);
            }
        });
    });
    Effect::new(move |_| {
        lines.track();
        mounted.with_value(|mounted| {
            if let Some(mounted) = mounted {
                draw_data(&mounted.handle);
            }
        });
    });
    on_cleanup(move || {
        if let Some(Some(mounted)) = mounted.try_update_value(Option::take) {
            mounted.handle.dispose();
        }
    });
}
