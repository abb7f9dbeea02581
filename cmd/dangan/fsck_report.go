package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"

	"dangan/storage"
)

// tell prints a finding as soon as it is known.
func (f *fsck) tell(finding storage.Finding) {
	if f.json {
		return
	}
	note := ""
	switch {
	case finding.Mended:
		note = "  mended"
	case finding.Mendable:
		note = "  can be mended"
	}
	fmt.Fprintf(f.stdout, "%-9s  %-17s  %s%s\n", finding.Severity, finding.Code, printable(finding.Object), note)
}

// printable quotes an object key of another program that could move the cursor.
func printable(key string) string {
	if quoted := strconv.Quote(key); quoted != `"`+key+`"` {
		return quoted
	}
	return key
}

// report ends the run: it says what came of it, and removes the progress.
func (f *fsck) report() error {
	if f.resume != "" {
		if err := os.Remove(f.resume); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	count, left := map[string]int{}, 0
	for _, finding := range f.findings {
		if !finding.Mended {
			left++
			count[finding.Severity]++
		}
	}
	err := f.print(count, left)
	if err == nil && left > 0 {
		err = errWrong
	}
	return err
}

func (f *fsck) print(count map[string]int, left int) error {
	took := time.Since(f.began)
	if f.json {
		out := json.NewEncoder(f.stdout)
		out.SetIndent("", "  ")
		return out.Encode(struct {
			Objects  int64             `json:"objects"`
			Bytes    int64             `json:"bytes"` // read from the store
			Seconds  float64           `json:"seconds"`
			Quick    bool              `json:"quick"`
			Index    bool              `json:"index"` // compared
			Left     int               `json:"left"`  // findings that are not mended
			Findings []storage.Finding `json:"findings"`
		}{f.state.Objects, f.state.Bytes, took.Seconds(), f.quick, !f.noIndex, left, append([]storage.Finding{}, f.findings...)})
	}
	_, err := fmt.Fprintf(f.stdout, "%d objects looked at, %s read, in %v.\n", f.state.Objects, size(f.state.Bytes), took.Round(time.Second/10))
	if err != nil {
		return err
	}
	if len(f.findings) == 0 {
		_, err = fmt.Fprintln(f.stdout, "Nothing is wrong.")
		return err
	}
	_, err = fmt.Fprintf(f.stdout, "%d mended; left: %d damage, %d stale, %d for a person to look at.\n", len(f.findings)-left,
		count[storage.Damage], count[storage.Stale], count[storage.Attention])
	return err
}

// show draws the progress, with the rate and the time left. An object costs about
// what some bytes of a file do.
func (f *fsck) show(c storage.Checked) {
	const object = 32 << 10
	cost := func(w storage.Weight) float64 {
		if f.quick {
			return float64(w.Objects)
		}
		return float64(w.Objects*object + w.Bytes)
	}
	this := storage.Weight{Objects: c.Objects, Bytes: c.Bytes}
	took := time.Since(f.began).Seconds()
	label := ""
	if took > 1 && cost(this) > 0 {
		done := storage.Weight{Objects: f.state.Objects, Bytes: f.state.Bytes}
		left := max(0, cost(f.total)-cost(done)) / cost(this) * took
		label = fmt.Sprintf("objects, %s/s, %v left", size(int64(float64(c.Bytes)/took)), time.Duration(left*float64(time.Second)).Round(time.Second))
	}
	f.bar.show(int(f.state.Objects), int(max(f.total.Objects, f.state.Objects)), label)
}

// units are those that people write sizes in.
func units() []string { return []string{"B", "kB", "MB", "GB", "TB"} }

func size(bytes int64) string {
	n, unit := float64(bytes), 0
	for ; n >= 1000 && unit < len(units())-1; unit++ {
		n /= 1000
	}
	return strings.TrimSuffix(fmt.Sprintf("%.1f", n), ".0") + " " + units()[unit]
}

// parseRate reads a size such as 20MB; the empty text is no limit.
func parseRate(text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	number, factor := text, 1.0
	for i, unit := range units() {
		rest, ok := strings.CutSuffix(strings.ToLower(text), strings.ToLower(unit))
		if ok && strings.TrimRight(rest, "kmgt") == rest {
			for range i {
				factor *= 1000
			}
			number = rest
		}
	}
	n, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if err != nil || n*factor < 1 || n*factor > 1e15 {
		return 0, fmt.Errorf("--rate: %q is no size a second, such as 20MB", text)
	}
	return int64(n * factor), nil
}
