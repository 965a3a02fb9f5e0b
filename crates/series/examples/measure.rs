//! Measures chunks against Parquet on the C-MAPSS set: bytes per sample, and samples a second in and out.
//!
//! `cargo run --release -p clarity-series --example measure -- train_FD001.txt.gz`
//!
//! The hundred engines are read as machines that report in turn. For sealed chunks their runs stand end to end, as
//! one machine's long series. Each row carries its time, epoch, sequence and flags in every format compared.

use std::error::Error;
use std::io::Read;
use std::sync::Arc;
use std::time::Instant;

use clarity_series::{
    ChunkBuilder, FieldType, Projection, Rows, Values, decode, encode_hot, encode_sealed, merge, reduce, seal,
};
use parquet::basic::{Compression, ZstdLevel};
use parquet::column::reader::ColumnReader;
use parquet::data_type::{DoubleType, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

const SENSORS: usize = 21;
const START: i64 = 1_700_006_400_000_000;

/// One line of the set: engine, cycle, sensors.
struct Line {
    engine: u32,
    cycle: i64,
    sensors: [f64; SENSORS],
}

fn main() -> Outcome {
    let path = std::env::args().nth(1).ok_or("give the path of train_FD001.txt.gz")?;
    let mut text = String::new();
    flate2::read::GzDecoder::new(std::fs::File::open(path)?).read_to_string(&mut text)?;
    let lines: Vec<Line> = text.lines().map(parse).collect::<Outcome<_>>()?;
    let all: Vec<usize> = (0..SENSORS).collect();
    let changing: Vec<usize> =
        all.iter().copied().filter(|s| lines.iter().any(|l| l.sensors[*s] != lines[0].sensors[*s])).collect();
    println!("{} rows; {} of {SENSORS} sensors ever change\n", lines.len(), changing.len());

    println!(
        "| rows | sensors | format | bytes per sample | encode, million samples/s | decode | decode one column, µs |"
    );
    println!("|---|---|---|---|---|---|---|");
    for size in [20, 200, 2_000, 10_000] {
        let chunks = chunks_of(&in_turn(&lines, &all), size);
        report(&format!("{size} hot"), "21", "clarity hot", &chunks, |rows| Ok(encode_hot(rows)?.bytes), read_chunk)?;
        report(
            &format!("{size} hot"),
            "21",
            "the sealed codec",
            &chunks,
            |rows| Ok(encode_sealed(rows)?.bytes),
            read_chunk,
        )?;
        report(&format!("{size} hot"), "21", "plain + zstd 1", &chunks, plain_zstd, read_plain)?;
        report(&format!("{size} hot"), "21", "Parquet zstd", &chunks, to_parquet, read_parquet)?;
    }
    for (times, jitter_us) in [("sealed, regular times", 0), ("sealed, times to the ms", 40_000)] {
        for size in [500, 2_000] {
            for (name, sensors) in [("21", &all), (&*changing.len().to_string(), &changing)] {
                let chunks = chunks_of(&end_to_end(&lines, sensors, jitter_us), size);
                let label = format!("{size} {times}");
                report(&label, name, "clarity sealed", &chunks, |rows| Ok(encode_sealed(rows)?.bytes), read_chunk)?;
                report(&label, name, "Parquet zstd", &chunks, to_parquet, read_parquet)?;
            }
        }
    }
    let full: Vec<Line> = lines.iter().map(Line::in_full_precision).collect();
    for (label, size) in [("2000 hot, full precision", 2_000), ("2000 sealed, full precision", 2_000)] {
        let chunks = chunks_of(&end_to_end(&full, &changing, 0), size);
        if label.contains("hot") {
            report(label, "15", "clarity hot", &chunks, |rows| Ok(encode_hot(rows)?.bytes), read_chunk)?;
        } else {
            report(label, "15", "clarity sealed", &chunks, |rows| Ok(encode_sealed(rows)?.bytes), read_chunk)?;
        }
        report(label, "15", "Parquet zstd", &chunks, to_parquet, read_parquet)?;
    }
    work(&in_turn(&lines, &all))
}

impl Line {
    /// As a computed or scaled reading would be: no short decimal any more, all 52 bits in use.
    fn in_full_precision(&self) -> Self {
        Self { engine: self.engine, cycle: self.cycle, sensors: self.sensors.map(|value| value / 3.7) }
    }
}

/// Merging, sealing and reducing the whole set, as compaction and rollups do.
fn work(rows: &Rows) -> Outcome {
    let hot = chunks_of(rows, 2_000);
    let samples = rows.sample_count() as f64;
    let timed = |name: &str, work: &dyn Fn() -> Outcome<usize>| -> Outcome {
        work()?;
        let start = Instant::now();
        for _ in 0..5 {
            std::hint::black_box(work()?);
        }
        println!("{name}: {:.1} million samples/s", samples * 5.0 / start.elapsed().as_secs_f64() / 1e6);
        Ok(())
    };
    let merged = merge(&hot).0;
    println!();
    timed("build rows", &|| Ok(rebuild(rows).len()))?;
    timed("merge hot chunks in order of arrival", &|| Ok(merge(&hot).0.len()))?;
    timed("merge again with itself", &|| Ok(merge(&[merged.clone(), merged.clone()]).0.len()))?;
    timed("seal (100 machines)", &|| Ok(seal(&merged)?.len()))?;
    timed("reduce to hours, with sketches", &|| {
        let buckets = |field| reduce(&merged, field, START, i64::MAX, 3_600_000_000).len();
        Ok((1..=SENSORS as u32).map(buckets).sum())
    })
}

fn rebuild(rows: &Rows) -> Rows {
    let fields: Vec<_> = rows.columns.iter().map(|column| (column.field, column.field_type())).collect();
    let columns: Vec<&Vec<f64>> = floats(rows).collect();
    let mut builder = ChunkBuilder::new(&fields);
    for row in 0..rows.len() {
        builder.push_row(rows.asset[row], rows.at[row], 1, rows.seq[row], 0, 0);
        for (column, values) in columns.iter().enumerate() {
            builder.push_float(column, values[row]);
        }
    }
    builder.finish()
}

fn parse(line: &str) -> Outcome<Line> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let mut sensors = [0.0; SENSORS];
    for (sensor, word) in sensors.iter_mut().zip(words.get(5..).ok_or("a line is too short")?) {
        *sensor = word.parse()?;
    }
    Ok(Line { engine: words[0].parse()?, cycle: words[1].parse()?, sensors })
}

fn build<'a>(lines: impl Iterator<Item = (u32, i64, u64, &'a Line)>, sensors: &[usize]) -> Rows {
    let fields: Vec<_> = sensors.iter().map(|sensor| (*sensor as u32 + 1, FieldType::Float)).collect();
    let mut builder = ChunkBuilder::new(&fields);
    for (asset, at, seq, line) in lines {
        builder.push_row(asset, at, 1, seq, 0, 0);
        for (column, sensor) in sensors.iter().enumerate() {
            builder.push_float(column, line.sensors[*sensor]);
        }
    }
    builder.finish()
}

/// As they arrive: each minute every engine that still runs reports once.
fn in_turn(lines: &[Line], sensors: &[usize]) -> Rows {
    let mut order: Vec<&Line> = lines.iter().collect();
    order.sort_by_key(|line| (line.cycle, line.engine));
    let rows = order.into_iter().enumerate();
    build(rows.map(|(seq, line)| (line.engine, START + line.cycle * 60_000_000, seq as u64, line)), sensors)
}

/// One machine's rows, half a minute apart; its sequences are those of a source that a hundred machines share.
fn end_to_end(lines: &[Line], sensors: &[usize], jitter_us: i64) -> Rows {
    let noise = |i: usize, below: u64| ((i as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 33) % below.max(1);
    let rows = lines.iter().enumerate();
    build(
        rows.map(|(i, line)| {
            let late = noise(i, jitter_us as u64 / 1_000) as i64 * 1_000;
            (1, START + i as i64 * 30_000_000 + late, i as u64 * 100 + noise(i + 7, 4), line)
        }),
        sensors,
    )
}

fn chunks_of(rows: &Rows, size: usize) -> Vec<Rows> {
    let most = (40_000 / size).max(1);
    (0..rows.len() / size).take(most).map(|i| rows.slice(i * size..(i + 1) * size)).collect()
}

/// Encodes and decodes each chunk, several times over, and prints a line of the table.
fn report(
    label: &str,
    sensors: &str,
    format: &str,
    chunks: &[Rows],
    encode: impl Fn(&Rows) -> Outcome<Vec<u8>>,
    read: impl Fn(&[u8], bool) -> Outcome<usize>,
) -> Outcome {
    let samples: u64 = chunks.iter().map(Rows::sample_count).sum();
    let encoded: Vec<Vec<u8>> = chunks.iter().map(&encode).collect::<Outcome<_>>()?;
    let bytes: usize = encoded.iter().map(Vec::len).sum();
    let timed = |work: &dyn Fn() -> Outcome<usize>| -> Outcome<f64> {
        let (start, mut rounds) = (Instant::now(), 0);
        while rounds == 0 || start.elapsed().as_millis() < 400 {
            std::hint::black_box(work()?);
            rounds += 1;
        }
        Ok(start.elapsed().as_secs_f64() / f64::from(rounds))
    };
    let encode_s = timed(&|| chunks.iter().map(|rows| Ok(encode(rows)?.len())).sum())?;
    let decode_s = timed(&|| encoded.iter().map(|bytes| read(bytes, false)).sum())?;
    let one_s = timed(&|| encoded.iter().map(|bytes| read(bytes, true)).sum())?;
    println!(
        "| {label} | {sensors} | {format} | {:.2} | {:.1} | {:.1} | {:.1} |",
        bytes as f64 / samples as f64,
        samples as f64 / encode_s / 1e6,
        samples as f64 / decode_s / 1e6,
        one_s / chunks.len() as f64 * 1e6,
    );
    Ok(())
}

/// `one` reads the second sensor alone, with the row columns.
fn read_chunk(bytes: &[u8], one: bool) -> Outcome<usize> {
    let projection = if one { Projection::all().fields(&[2]) } else { Projection::all() };
    Ok(decode(bytes, &projection)?.len())
}

fn floats(rows: &Rows) -> impl Iterator<Item = &Vec<f64>> {
    rows.columns.iter().filter_map(|column| match &column.values {
        Values::Float(values) => Some(values),
        _ => None,
    })
}

fn whole_columns(rows: &Rows) -> Vec<Vec<i64>> {
    vec![
        rows.asset.iter().map(|v| i64::from(*v)).collect(),
        rows.at.clone(),
        rows.epoch.iter().map(|v| i64::from(*v)).collect(),
        rows.seq.iter().map(|v| *v as i64).collect(),
        rows.flags.iter().map(|v| i64::from(*v)).collect(),
        rows.key_hash.iter().map(|v| *v as i64).collect(),
    ]
}

fn plain_zstd(rows: &Rows) -> Outcome<Vec<u8>> {
    let mut plain = Vec::new();
    whole_columns(rows).iter().flatten().for_each(|value| plain.extend_from_slice(&value.to_le_bytes()));
    floats(rows).flatten().for_each(|value| plain.extend_from_slice(&value.to_le_bytes()));
    let mut out = (plain.len() as u32).to_le_bytes().to_vec();
    out.extend(zstd::bulk::compress(&plain, 1)?);
    Ok(out)
}

fn read_plain(bytes: &[u8], _one: bool) -> Outcome<usize> {
    let size = u32::from_le_bytes(bytes[..4].try_into()?) as usize;
    let plain = zstd::bulk::decompress(&bytes[4..], size)?;
    let values: Vec<f64> =
        plain.chunks_exact(8).map(|word| Ok(f64::from_le_bytes(word.try_into()?))).collect::<Outcome<_>>()?;
    Ok(std::hint::black_box(values).len())
}

fn to_parquet(rows: &Rows) -> Outcome<Vec<u8>> {
    let mut schema = String::from("message rows {");
    for name in ["asset", "at", "epoch", "seq", "flags", "key_hash"] {
        schema += &format!(" required int64 {name};");
    }
    for column in &rows.columns {
        schema += &format!(" optional double f{};", column.field);
    }
    let schema = Arc::new(parse_message_type(&(schema + " }"))?);
    let properties = WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::try_new(3)?)).build();
    let mut out = Vec::new();
    let mut file = SerializedFileWriter::new(&mut out, schema, Arc::new(properties))?;
    let mut group = file.next_row_group()?;
    for values in whole_columns(rows) {
        let mut column = group.next_column()?.ok_or("a column is missing")?;
        column.typed::<Int64Type>().write_batch(&values, None, None)?;
        column.close()?;
    }
    let defined = vec![1; rows.len()];
    for values in floats(rows) {
        let mut column = group.next_column()?.ok_or("a column is missing")?;
        column.typed::<DoubleType>().write_batch(values, Some(&defined), None)?;
        column.close()?;
    }
    group.close()?;
    file.close()?;
    Ok(out)
}

fn read_parquet(bytes: &[u8], one: bool) -> Outcome<usize> {
    // `Bytes` needs an owned copy, which is small beside the rest.
    let file = SerializedFileReader::new(bytes::Bytes::copy_from_slice(bytes))?;
    let mut read = 0;
    for number in 0..file.num_row_groups() {
        let group = file.get_row_group(number)?;
        let rows = group.metadata().num_rows() as usize;
        for column in 0..group.num_columns() {
            if one && column >= 6 && column != 7 {
                continue;
            }
            read += match group.get_column_reader(column)? {
                ColumnReader::Int64ColumnReader(mut reader) => {
                    reader.read_records(rows, None, None, &mut Vec::with_capacity(rows))?.0
                }
                ColumnReader::DoubleColumnReader(mut reader) => {
                    let mut defined = Vec::with_capacity(rows);
                    reader.read_records(rows, Some(&mut defined), None, &mut Vec::with_capacity(rows))?.0
                }
                _ => return Err("a column is of another type".into()),
            };
        }
    }
    Ok(read)
}
