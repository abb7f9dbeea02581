package main

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/png"
	"os"

	"github.com/pdfcpu/pdfcpu/pkg/api"
	"github.com/pdfcpu/pdfcpu/pkg/font"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/model"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/types"

	"dangan/api/stamp"
)

// pdfcpu marks pages as one would with the library alone.
type pdfcpu struct {
	fonts   string // the folder it keeps them in
	picture []byte // a seal, a code
	sheet   []byte // a page that is all marks
}

func newPdfcpu() (*pdfcpu, error) {
	model.ConfigPath = "disable" // or it writes into the home folder
	dir, err := os.MkdirTemp("", "dangan-bench-fonts-")
	if err != nil {
		return nil, err
	}
	p := &pdfcpu{fonts: dir}
	font.UserFontDir = dir
	if err := font.InstallFontFromBytesQuiet(dir, "any", stamp.RegularTTF()); err != nil {
		p.close()
		return nil, fmt.Errorf("install font: %w", err)
	}
	if err := font.ReloadUserFonts(); err != nil {
		p.close()
		return nil, fmt.Errorf("load fonts: %w", err)
	}
	var out bytes.Buffer
	if err := png.Encode(&out, image.NewRGBA(image.Rect(0, 0, 200, 200))); err != nil {
		p.close()
		return nil, err
	}
	p.picture = out.Bytes()
	if p.sheet, err = newOverlay(); err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

func (p *pdfcpu) close() { _ = os.RemoveAll(p.fonts) }

// marks puts five marks onto each page, one call after another.
func (p *pdfcpu) marks(o *original) func(context.Context, int) error {
	const of = "font:NotoSerifSC-Regular, scale:1 abs, "
	steps := []func() (*model.Watermark, error){
		func() (*model.Watermark, error) {
			return api.TextWatermark("2026 仅供办理公积金贷款使用", of+"points:40, rot:30, opacity:0.2", true, false, types.POINTS)
		},
		func() (*model.Watermark, error) {
			return api.TextWatermark("2026 青民档证 000123号 与馆藏原件一致", of+"points:9, pos:bl, offset:20 20, rot:0", true, false, types.POINTS)
		},
		func() (*model.Watermark, error) {
			return api.TextWatermark("1/1 第页共页", of+"points:9, pos:br, offset:-20 20, rot:0", true, false, types.POINTS)
		},
		func() (*model.Watermark, error) {
			return api.ImageWatermarkForReader(bytes.NewReader(p.picture), "pos:br, scale:0.2, rot:0", true, false, types.POINTS)
		},
		func() (*model.Watermark, error) {
			return api.ImageWatermarkForReader(bytes.NewReader(p.picture), "pos:bl, scale:0.1, rot:0", true, false, types.POINTS)
		},
	}
	return func(context.Context, int) error {
		pdf := o.pdf
		for i, step := range steps {
			mark, err := step()
			if err != nil {
				return fmt.Errorf("pdfcpu mark %d: %w", i+1, err)
			}
			if pdf, err = put(pdf, mark); err != nil {
				return fmt.Errorf("pdfcpu mark %d: %w", i+1, err)
			}
		}
		return nil
	}
}

// overlay puts a ready page over each page.
func (p *pdfcpu) overlay(o *original) func(context.Context, int) error {
	return func(context.Context, int) error {
		mark, err := api.PDFWatermarkForReadSeeker(bytes.NewReader(p.sheet), 1, "scale:1 abs, rot:0", true, false, types.POINTS)
		if err != nil {
			return fmt.Errorf("pdfcpu overlay: %w", err)
		}
		if _, err := put(o.pdf, mark); err != nil {
			return fmt.Errorf("pdfcpu overlay: %w", err)
		}
		return nil
	}
}

// newOverlay is a small page with a frame.
func newOverlay() ([]byte, error) {
	var out bytes.Buffer
	page := `{"paper":"A4","origin":"UpperLeft","pages":{"1":{"content":{"box":[{"pos":[20,20],"width":200,"height":40,"border":{"width":2,"col":"#FF0000"}}]}}}}`
	if err := api.Create(nil, bytes.NewReader([]byte(page)), &out, model.NewDefaultConfiguration()); err != nil {
		return nil, fmt.Errorf("pdfcpu create: %w", err)
	}
	return out.Bytes(), nil
}

// put needs a configuration of its own: the library writes into it.
func put(pdf []byte, mark *model.Watermark) ([]byte, error) {
	var out bytes.Buffer
	err := api.AddWatermarks(bytes.NewReader(pdf), &out, nil, mark, model.NewDefaultConfiguration())
	return out.Bytes(), err
}
