/* SPDX-License-Identifier: MIT */
/*
 * SVG, drawn by librsvg onto a cairo surface. Both are linked as stubs (see
 * local.mk): this file is as it would be without. What is dlazy's here is
 * librsvg_2_load_now(), to say what to install before anything was called.
 */
#include "examples/convert/picture.h"

#include <dlazy/stub.h>

#include <err.h>
#include <librsvg/rsvg.h>
#include <math.h>

DLAZY_STUB(librsvg_2);

int svg_available(void)
{
	return librsvg_2_available();
}

/* The size it asks for, or the one that was asked for, in its proportions. */
static void choose_size(RsvgHandle *svg, const struct settings *settings,
			double *width, double *height)
{
	RsvgRectangle box;
	gboolean has_box;

	if (!rsvg_handle_get_intrinsic_size_in_pixels(svg, width, height)) {
		rsvg_handle_get_intrinsic_dimensions(svg, NULL, NULL, NULL,
						     NULL, &has_box, &box);
		*width = has_box ? box.width : 512;
		*height = has_box ? box.height : 512;
	}
	if (settings->width) {
		*height *= settings->width / *width;
		*width = settings->width;
	}
	*width = ceil(*width);
	*height = fmax(1, round(*height));
}

/* cairo has a dot in 32 bits of the host's order, the highest 8 unused. */
static void copy_dots(cairo_surface_t *surface, struct picture *picture)
{
	const uint8_t *data = cairo_image_surface_get_data(surface);
	size_t stride = (size_t)cairo_image_surface_get_stride(surface);
	uint8_t *to = picture->rgb;

	for (uint32_t y = 0; y < picture->height; y++) {
		const uint32_t *row = (const void *)(data + y * stride);
		for (uint32_t x = 0; x < picture->width; x++) {
			*to++ = (uint8_t)(row[x] >> 16);
			*to++ = (uint8_t)(row[x] >> 8);
			*to++ = (uint8_t)row[x];
		}
	}
}

/* On white, as PPM has no transparency. */
static int draw(const char *path, RsvgHandle *svg, struct picture *picture)
{
	const RsvgRectangle all = {0, 0, picture->width, picture->height};
	cairo_surface_t *surface = cairo_image_surface_create(
		CAIRO_FORMAT_RGB24, (int)picture->width, (int)picture->height);
	cairo_t *cairo = cairo_create(surface);
	GError *error = NULL;

	cairo_set_source_rgb(cairo, 1, 1, 1);
	cairo_paint(cairo);
	gboolean drawn =
		rsvg_handle_render_document(svg, cairo, &all, &error) &&
		cairo_status(cairo) == CAIRO_STATUS_SUCCESS;
	cairo_surface_flush(surface);
	if (drawn)
		copy_dots(surface, picture);
	else
		warnx("%s: %s", path,
		      error ? error->message
			    : cairo_status_to_string(cairo_status(cairo)));
	g_clear_error(&error);
	cairo_destroy(cairo);
	cairo_surface_destroy(surface);
	return drawn ? CONVERT_DONE : CONVERT_FAILED;
}

int svg_read(const char *path, const struct settings *settings,
	     struct picture *ret)
{
	double width, height;
	GError *error = NULL;

	if (librsvg_2_load_now() < 0) {
		warnx("%s: %s", path, librsvg_2_error());
		return CONVERT_MISSING;
	}
	RsvgHandle *svg = rsvg_handle_new_from_file(path, &error);
	if (!svg) {
		warnx("%s: %s", path, error->message);
		g_error_free(error);
		return CONVERT_FAILED;
	}
	choose_size(svg, settings, &width, &height);
	int status = picture_make(path, (uint64_t)fmin(width, UINT32_MAX),
				  (uint64_t)fmin(height, UINT32_MAX), ret);
	if (status == CONVERT_DONE)
		status = draw(path, svg, ret);
	g_object_unref(svg);
	return status;
}
