//! Rows of `telemetry` in Postgres' binary COPY format.

use anyhow::Result;
use bytes::{BufMut, Bytes, BytesMut};
use futures::SinkExt as _;
use tokio_postgres::{Client, Statement};

use super::fleet::Reading;
use super::schema::machine_id;

/// Microseconds from 1970 to 2000, where Postgres' clock begins.
const POSTGRES_EPOCH_US: i64 = 946_684_800_000_000;
const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// machine_id, ts, cycle, 24 values, extra.
const FIELDS: i16 = 28;

/// Writes batches of readings, each one transaction.
pub struct CopyWriter {
    client: Client,
    statement: Statement,
    buffer: BytesMut,
    ids: Vec<String>,
}

impl CopyWriter {
    pub async fn new(client: Client, machines: usize) -> Result<Self> {
        let columns = super::schema::telemetry_columns().join(", ");
        let sql = format!("copy telemetry (machine_id, ts, cycle, {columns}, extra) from stdin (format binary)");
        let statement = client.prepare(&sql).await?;
        let ids = (0..machines).map(machine_id).collect();
        Ok(Self { client, statement, buffer: BytesMut::new(), ids })
    }

    /// Returns when the rows are committed.
    pub async fn write(&mut self, readings: impl Iterator<Item = Reading>) -> Result<()> {
        self.buffer.put_slice(HEADER);
        for reading in readings {
            encode(&mut self.buffer, &self.ids[reading.machine], &reading);
        }
        self.buffer.put_i16(-1);
        let mut sink = Box::pin(self.client.copy_in::<_, Bytes>(&self.statement).await?);
        sink.send(self.buffer.split().freeze()).await?;
        sink.as_mut().finish().await?;
        Ok(())
    }
}

fn encode(out: &mut BytesMut, id: &str, reading: &Reading) {
    out.put_i16(FIELDS);
    out.put_i32(id.len() as i32);
    out.put_slice(id.as_bytes());
    out.put_i32(8);
    out.put_i64(reading.ts_us - POSTGRES_EPOCH_US);
    out.put_i32(4);
    out.put_i32(reading.cycle);
    for value in reading.values {
        out.put_i32(8);
        out.put_f64(value);
    }
    match &reading.extra {
        None => out.put_i32(-1),
        Some(extra) => {
            out.put_i32(extra.len() as i32 + 1);
            // Version of the binary form of jsonb.
            out.put_u8(1);
            out.put_slice(extra.as_bytes());
        }
    }
}
