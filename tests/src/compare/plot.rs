//! Plots of the cost of events and of the memory of sessions.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use plotters::coord::Shift;
use plotters::coord::ranged1d::{Ranged, ValueFormatter};
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use serde::Deserialize;

use super::process::one_thread;
use super::{core_rows, many};

/// The numbers of sessions in a process.
const SESSIONS: [usize; 6] = [1, 30, 100, 300, 600, 1_000];

const SIZE: (u32, u32) = (800, 480);
const FONT: &str = "sans-serif";
/// Colours that differ for readers with any kind of colour vision.
static COLOURS: [RGBColor; 5] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 86, 86),
];

/// A line of a plot.
#[derive(Debug, PartialEq, Deserialize)]
struct Series {
    name: String,
    points: Vec<(f64, f64)>,
}

/// The text around a plot.
struct Labels<'a> {
    title: &'a str,
    x: &'a str,
    y: &'a str,
}

/// The scale of the horizontal axis.
#[derive(Clone, Copy)]
enum Scale {
    Linear,
    Logarithmic,
}

/// Measures and draws all plots.
pub(super) fn draw(folder: &Path) -> Result<()> {
    let events = parse(&core_rows::output("core", &["--growth"])?)?;
    let labels = Labels {
        title: "Cost of an event",
        x: "loaded items",
        y: "instructions",
    };
    let path = folder.join("event_cost.svg");
    write(&path, &events, &labels, Scale::Logarithmic)?;

    let mut points = Vec::with_capacity(SESSIONS.len());
    for sessions in SESSIONS {
        let memory = one_thread()?.block_on(many::memory(sessions))?;
        points.push((sessions as f64, memory as f64 / f64::from(1 << 20)));
    }
    let memory = Series {
        name: "resident memory".to_owned(),
        points,
    };
    let labels = Labels {
        title: "Memory of a process with live windows",
        x: "sessions",
        y: "MiB",
    };
    let path = folder.join("session_memory.svg");
    write(&path, &[memory], &labels, Scale::Linear)
}

fn parse(output: &str) -> Result<Vec<Series>> {
    #[derive(Deserialize)]
    struct Growth {
        series: Vec<Series>,
    }
    let growth: Growth = serde_json::from_str(core_rows::result(output)?)?;
    Ok(growth.series)
}

fn write(path: &Path, series: &[Series], labels: &Labels<'_>, scale: Scale) -> Result<()> {
    fs::write(path, svg(series, labels, scale)?).with_context(|| path.display().to_string())
}

fn svg(series: &[Series], labels: &Labels<'_>, scale: Scale) -> Result<String> {
    let mut text = String::new();
    let area = SVGBackend::with_string(&mut text, SIZE).into_drawing_area();
    plot(&area, series, labels, scale)?;
    drop(area);
    Ok(text)
}

fn plot(
    area: &DrawingArea<SVGBackend<'_>, Shift>,
    series: &[Series],
    labels: &Labels<'_>,
    scale: Scale,
) -> Result<()> {
    area.fill(&WHITE)?;
    let points = || series.iter().flat_map(|series| &series.points);
    let first = points().map(|point| point.0).fold(f64::INFINITY, f64::min);
    let last = points().map(|point| point.0).fold(first, f64::max);
    let top = points().map(|point| point.1).fold(0.0, f64::max);
    let y = 0.0..top * 1.1;
    let mut chart = ChartBuilder::on(area);
    chart
        .caption(labels.title, (FONT, 22))
        .margin(12)
        .x_label_area_size(44)
        .y_label_area_size(72);
    match scale {
        Scale::Linear => draw_lines(chart.build_cartesian_2d(0.0..last, y)?, series, labels)?,
        Scale::Logarithmic => {
            let x = (first..last).log_scale();
            draw_lines(chart.build_cartesian_2d(x, y)?, series, labels)?;
        }
    }
    area.present()?;
    Ok(())
}

fn draw_lines<'a, 'b: 'a, X>(
    mut chart: ChartContext<'a, SVGBackend<'b>, Cartesian2d<X, RangedCoordf64>>,
    series: &[Series],
    labels: &Labels<'_>,
) -> Result<()>
where
    X: Ranged<ValueType = f64> + ValueFormatter<f64>,
{
    chart
        .configure_mesh()
        .x_desc(labels.x)
        .y_desc(labels.y)
        .label_style((FONT, 14))
        .x_label_formatter(&|items| format!("{items:.0}"))
        .y_label_formatter(&|cost| format!("{cost:.0}"))
        .light_line_style(TRANSPARENT)
        .draw()?;
    for (series, colour) in series.iter().zip(COLOURS.iter().cycle()) {
        let line = LineSeries::new(series.points.iter().copied(), colour.stroke_width(2));
        chart
            .draw_series(line)?
            .label(series.name.as_str())
            .legend(move |(x, y)| {
                PathElement::new(vec![(x, y), (x + 20, y)], colour.stroke_width(2))
            });
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE.mix(0.8))
        .label_font((FONT, 14))
        .draw()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plot_has_a_line_for_each_series() {
        let series = [("rising", [10.0, 20.0]), ("flat", [15.0, 15.0])];
        let series = series.map(|(name, [first, last])| Series {
            name: name.to_owned(),
            points: vec![(20.0, first), (10_000.0, last)],
        });
        let labels = Labels {
            title: "Cost",
            x: "items",
            y: "instructions",
        };
        for scale in [Scale::Linear, Scale::Logarithmic] {
            let svg = svg(&series, &labels, scale).unwrap();
            assert!(svg.starts_with("<svg") && svg.ends_with("</svg>\n"));
            for text in ["Cost", "items", "instructions", "rising", "flat"] {
                assert!(svg.contains(text), "{text} is missing");
            }
        }
    }

    #[test]
    fn series_are_read_from_the_last_line_of_json() {
        let output = "warm\n{\"series\":[{\"name\":\"a\",\"points\":[[30,7.0]]}]}\n";
        let expected = Series {
            name: "a".to_owned(),
            points: vec![(30.0, 7.0)],
        };
        assert_eq!(parse(output).unwrap(), [expected]);
        assert!(parse("warm").is_err());
    }
}
