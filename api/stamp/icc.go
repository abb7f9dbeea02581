package stamp

import (
	"bytes"
	"encoding/binary"
	"math"
)

// srgbName is how the output intent and the profile name the colours that a page means.
const srgbName = "sRGB IEC61966-2.1"

// srgbProfile makes the smallest ICC profile of sRGB that says it exactly (ICC.1:2001-04, IEC 61966-2-1): three
// primaries, adapted to D50, and one curve for all of them. PDF/A wants a profile in the file, and this one is
// nobody's property.
func srgbProfile() []byte {
	curve := curveTag()
	tags := []struct {
		name string
		data []byte
	}{
		{"desc", descTag(srgbName)},
		{"cprt", append([]byte("text\x00\x00\x00\x00"), "No copyright, use freely\x00"...)},
		{"wtpt", xyzTag(0.9642, 1, 0.8249)},
		{"rXYZ", xyzTag(0.4360747, 0.2225045, 0.0139322)},
		{"gXYZ", xyzTag(0.3850649, 0.7168786, 0.0971045)},
		{"bXYZ", xyzTag(0.1430804, 0.0606169, 0.7141733)},
		{"rTRC", curve}, {"gTRC", curve}, {"bTRC", curve},
	}
	var table, data bytes.Buffer
	offset := func() uint32 { return uint32(128 + 4 + 12*len(tags) + data.Len()) }
	table.Write(binary.BigEndian.AppendUint32(nil, uint32(len(tags))))
	at := uint32(0)
	for _, tag := range tags {
		if tag.name != "gTRC" && tag.name != "bTRC" { // those share the red one's
			at = offset()
			data.Write(tag.data)
			data.Write(make([]byte, (4-data.Len()%4)%4))
		}
		table.WriteString(tag.name)
		table.Write(binary.BigEndian.AppendUint32(nil, at))
		table.Write(binary.BigEndian.AppendUint32(nil, uint32(len(tag.data))))
	}
	body := append(table.Bytes(), data.Bytes()...)
	return append(profileHeader(128+len(body)), body...)
}

func profileHeader(size int) []byte {
	h := make([]byte, 128)
	binary.BigEndian.PutUint32(h, uint32(size))
	binary.BigEndian.PutUint32(h[8:], 0x02100000) // version 2.1
	copy(h[12:], "mntrRGB XYZ ")
	for i, v := range []uint16{2026, 1, 1, 0, 0, 0} {
		binary.BigEndian.PutUint16(h[24+2*i:], v)
	}
	copy(h[36:], "acsp")
	copy(h[68:], xyzTag(0.9642, 1, 0.8249)[8:]) // the illuminant is D50, always
	return h
}

// descTag is textDescriptionType with an ASCII text only; its other two forms are empty.
func descTag(text string) []byte {
	out := append([]byte("desc\x00\x00\x00\x00"), binary.BigEndian.AppendUint32(nil, uint32(len(text)+1))...)
	out = append(out, text...)
	return append(out, make([]byte, 1+4+4+2+1+67)...)
}

func xyzTag(values ...float64) []byte {
	out := []byte("XYZ \x00\x00\x00\x00")
	for _, v := range values {
		out = binary.BigEndian.AppendUint32(out, uint32(math.Round(v*65536)))
	}
	return out
}

// curveTag samples the transfer function.
func curveTag() []byte {
	const samples = 256
	out := append([]byte("curv\x00\x00\x00\x00"), binary.BigEndian.AppendUint32(nil, samples)...)
	for i := range samples {
		v := float64(i) / (samples - 1)
		if v <= 0.04045 {
			v /= 12.92
		} else {
			v = math.Pow((v+0.055)/1.055, 2.4)
		}
		out = binary.BigEndian.AppendUint16(out, uint16(math.Round(v*65535)))
	}
	return out
}
