/* SPDX-License-Identifier: MIT */
/*
 * JPEG XL, made by libjxl, which is linked as a stub (see local.mk).
 */
#include "examples/convert/picture.h"

#include <dlazy/stub.h>

#include <err.h>
#include <jxl/encode.h>
#include <stdlib.h>

DLAZY_STUB(libjxl);

int jxl_available(void)
{
	return libjxl_available();
}

/* libjxl's measure of loss: 0 none, 1 invisible, 15 most. */
static float distance_of(int quality)
{
	if (quality >= 100)
		return 0;
	return quality >= 30 ? 0.1f + (float)(100 - quality) * 0.09f
			     : 6.4f + (float)(30 - quality) * 0.29f;
}

static int describe(JxlEncoder *encoder, const struct picture *picture,
		    int lossless)
{
	JxlBasicInfo info;
	JxlColorEncoding colours;

	JxlEncoderInitBasicInfo(&info);
	info.xsize = picture->width;
	info.ysize = picture->height;
	info.bits_per_sample = 8;
	info.num_color_channels = 3;
	info.uses_original_profile = lossless;
	JxlColorEncodingSetToSRGB(&colours, JXL_FALSE);
	return JxlEncoderSetBasicInfo(encoder, &info) == JXL_ENC_SUCCESS &&
	       JxlEncoderSetColorEncoding(encoder, &colours) == JXL_ENC_SUCCESS;
}

static int add_dots(JxlEncoder *encoder, const struct picture *picture,
		    int quality)
{
	static const JxlPixelFormat format = {3, JXL_TYPE_UINT8,
					      JXL_NATIVE_ENDIAN, 0};
	JxlEncoderFrameSettings *frame =
		JxlEncoderFrameSettingsCreate(encoder, NULL);
	JxlEncoderStatus status =
		quality >= 100 ? JxlEncoderSetFrameLossless(frame, JXL_TRUE)
			       : JxlEncoderSetFrameDistance(
					 frame, distance_of(quality));

	return status == JXL_ENC_SUCCESS &&
	       JxlEncoderAddImageFrame(frame, &format, picture->rgb,
				       (size_t)picture->width *
					       picture->height * 3) ==
		       JXL_ENC_SUCCESS;
}

/* Takes the encoder's output, in ever more room. */
static int collect(JxlEncoder *encoder, struct bytes *ret)
{
	size_t room = 1 << 16, used = 0;

	JxlEncoderCloseInput(encoder);
	for (;;) {
		uint8_t *grown = realloc(ret->data, room);
		if (!grown)
			return 0;
		ret->data = grown;
		uint8_t *next = ret->data + used;
		size_t left = room - used;
		JxlEncoderStatus status =
			JxlEncoderProcessOutput(encoder, &next, &left);
		used = (size_t)(next - ret->data);
		ret->size = used;
		if (status != JXL_ENC_NEED_MORE_OUTPUT)
			return status == JXL_ENC_SUCCESS;
		room *= 2;
	}
}

int jxl_encode(const struct picture *picture, const struct settings *settings,
	       struct bytes *ret)
{
	if (libjxl_load_now() < 0) {
		warnx("%s", libjxl_error());
		return CONVERT_MISSING;
	}
	JxlEncoder *encoder = JxlEncoderCreate(NULL);
	int done = encoder &&
		   describe(encoder, picture, settings->quality >= 100) &&
		   add_dots(encoder, picture, settings->quality) &&
		   collect(encoder, ret);
	if (!done)
		warnx("libjxl cannot encode this picture");
	if (encoder)
		JxlEncoderDestroy(encoder);
	return done ? CONVERT_DONE : CONVERT_FAILED;
}
